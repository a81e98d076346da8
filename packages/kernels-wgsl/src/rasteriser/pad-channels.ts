import type { Conv2dParams } from "../conv2d/index.ts";
import {
  type Adapter,
  fits,
  type Holes,
  type Kernel,
  type Stage,
  type StagedVariant,
  strided,
  type Variant,
} from "../launch/kernel.ts";
import source from "./resizeRows.wgsl?raw";
import source4 from "./resizeRows4.wgsl?raw";

type RowsParams = Record<"rows" | "width" | "length", number>;

const byFour: Variant<RowsParams> = {
  name: "vec4",
  source: source4,
  fits: ({ length }) => length % 4 === 0,
  workgroups: ({ rows, length }) => strided((rows * length) / 4, 64),
};

/** y [rows, length] with the first elements of each row of x [rows, width], and zeros after them. */
export const resizeRows: Kernel<RowsParams> = {
  name: "resizeRows",
  reads: ["x"],
  writes: ["y"],
  params: { rows: "u32", width: "u32", length: "u32" },
  variants: {
    plain: { name: "scalar", source, workgroups: ({ rows, length }) => strided(rows * length, 64) },
    rasteriser: [byFour],
  },
  cost: ({ rows, width, length }) => ({ flops: 0, bytes: 4 * rows * (Math.min(width, length) + length) }),
};

/** The same convolution with channels in fours, of which the last are zeros. */
export const padChannels = <P extends Conv2dParams>(p: P): P => ({ ...p, C: Math.ceil(p.C / 4) * 4 });

/** Bytes that any device binds at once. */
const MOST_BYTES = 128 * 2 ** 20;

/** Elements of the image and of the weights with channels in fours. */
const imageOf = (p: Conv2dParams): number => p.N * p.H * p.W * padChannels(p).C;
const weightsOf = (p: Conv2dParams): number => p.R * p.S * padChannels(p).C * p.O;

/** True if some variant takes these channels once they are padded, and scratch memory can hold them. */
const fitsPadded =
  <P extends Conv2dParams>(variants: readonly Variant<P>[], largest: (p: P) => number) =>
  (p: P, adapter: Adapter): boolean =>
    p.C > 0 &&
    p.C % 4 !== 0 &&
    p.groups === 1 &&
    4 * Math.max(imageOf(p), largest(p)) <= MOST_BYTES &&
    variants.some((variant) => fits(variant, padChannels(p), adapter));

const elementBytes = ({ Elem }: Holes): number => (Elem === "f16" ? 2 : 4);

const onlyElem = ({ Elem }: Holes): Holes => (Elem === undefined ? {} : { Elem });

const padImage: Stage<Conv2dParams> = {
  kernel: resizeRows,
  params: (p) => ({ rows: p.N * p.H * p.W, width: p.C, length: padChannels(p).C }),
  buffers: ["x", "image"],
  holes: onlyElem,
};

/** A convolution whose image and weights get channels in fours first. @param variants that take those */
export const paddedForward = <P extends Conv2dParams>(
  kernel: Kernel<P>,
  variants: readonly Variant<P>[],
): StagedVariant<P> => ({
  name: "padded",
  needs: ["subgroups"],
  fits: fitsPadded(variants, weightsOf),
  scratch: {
    image: (p, holes) => elementBytes(holes) * imageOf(p),
    window: (p, holes) => elementBytes(holes) * weightsOf(p),
  },
  stages: [
    padImage,
    {
      kernel: resizeRows,
      params: (p) => ({ rows: p.R * p.S, width: p.C * p.O, length: padChannels(p).C * p.O }),
      buffers: ["w", "window"],
      holes: onlyElem,
    },
    {
      kernel,
      params: padChannels,
      buffers: ["image", "window", "e0", "e1", "y"],
      holes: onlyElem,
      hasEpilogue: true,
    },
  ],
});

/** The gradient of its weights, of which those for channels that were added are dropped. @param variants as above */
export const paddedWeightGrad = <P extends Conv2dParams & { splits: number }>(
  kernel: Kernel<P>,
  variants: readonly Variant<P>[],
): StagedVariant<P> => ({
  name: "padded",
  needs: ["subgroups"],
  fits: fitsPadded(variants, (p) => p.splits * weightsOf(p)),
  scratch: {
    image: (p, holes) => elementBytes(holes) * imageOf(p),
    padded: (p) => 4 * p.splits * weightsOf(p),
  },
  stages: [
    padImage,
    { kernel, params: padChannels, buffers: ["image", "dy", "padded"], holes: onlyElem },
    {
      kernel: resizeRows,
      params: (p) => ({ rows: p.splits * p.R * p.S, width: padChannels(p).C * p.O, length: p.C * p.O }),
      buffers: ["padded", "partial"],
    },
  ],
});
