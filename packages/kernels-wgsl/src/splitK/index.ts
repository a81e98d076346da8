import {
  type Holes,
  type Kernel,
  type ParamValues,
  type StagedVariant,
  spread,
  type Variant,
} from "../launch/kernel.ts";
import { splitsOf } from "../launch/tiles.ts";
import source from "./sumSplits.wgsl?raw";

/** Elements of the result, how many partial sums each has, and how many elements are in a row. */
export type SumSplitsParams = Record<"length" | "splits" | "channels", number>;

const THREADS = 64;

/** Add up partial [splits, length]. Holes: `epilogue` as that of `conv2d`; `Elem`. */
export const sumSplits: Kernel<SumSplitsParams> = {
  name: "sumSplits",
  reads: ["partial", "e0", "e1"],
  writes: ["y"],
  types: { partial: "f32", e0: ["E0", "f32"], e1: ["E1", "f32"] },
  params: { length: "u32", splits: "u32", channels: "u32" },
  variants: {
    plain: { name: "scalar", source, workgroups: ({ length }) => spread(Math.ceil(length / THREADS)) },
    gpu: [
      {
        name: "vec4",
        source,
        holes: {
          ...{ WIDTH: 4, Vec: "vec4f", Bits: "vec4u" },
          ...{ StoredVec: "vec4<Elem>", StoredVec0: "vec4<E0>", StoredVec1: "vec4<E1>" },
        },
        fits: ({ channels }) => channels % 4 === 0,
        workgroups: ({ length }) => spread(Math.ceil(length / 4 / THREADS)),
      },
    ],
  },
  epilogue: ({ channels }) => channels,
  cost: ({ length, splits }) => ({ flops: length * splits, bytes: 4 * length * (splits + 1) }),
};

/** A kernel that computes a matrix product in tiles, whose shader has the hole SPLIT. */
interface Product<P extends ParamValues> {
  readonly kernel: Pick<Kernel<P>, "name" | "reads" | "writes" | "params" | "cost">;
  readonly variant: Variant<P>;
  /** Workgroups of the variant. */
  tiles(params: P): number;
  /** Terms of a sum. */
  k(params: P): number;
  /** Elements of the result, and of one of its rows. */
  length(params: P): number;
  channels(params: P): number;
}

/**
 * The product as two launches: partial sums over parts of k, and their sum, which has the epilogue. It fits where a
 * product has so few tiles that this fills a GPU better, or so long a k that rounding would add up.
 */
export function splitVariant<P extends ParamValues>(product: Product<P>): StagedVariant<P> {
  const { kernel, variant, tiles, k, length, channels } = product;
  const splits = (params: P) => splitsOf(tiles(params), k(params), length(params));
  const [first = "", second = ""] = kernel.reads;
  const [result = ""] = kernel.writes;
  const partials: Kernel<P> = {
    ...kernel,
    name: `${kernel.name}Partials`,
    epilogue: channels, // which this stage leaves to the next: its operands are absent here
    variants: {
      plain: {
        ...variant,
        holes: { ...variant.holes, SPLIT: true, Out: "f32" },
        workgroups(params, holes) {
          const [x, y] = variant.workgroups(params, holes);
          return [x, y, splits(params)];
        },
      },
    },
  };
  return {
    name: `${variant.name} split`,
    ...(variant.needs && { needs: variant.needs }),
    fits: (params, adapter, holes) => (variant.fits?.(params, adapter, holes) ?? true) && splits(params) > 1,
    scratch: { partial: (params) => 4 * splits(params) * length(params) },
    stages: [
      {
        kernel: partials,
        params: (params) => params,
        buffers: [first, second, "partial"],
        holes: onlyElem,
      },
      {
        kernel: sumSplits,
        params: (params) => ({
          ...{ length: length(params), splits: splits(params), channels: channels(params) },
        }),
        buffers: ["partial", "e0", "e1", result],
        holes: onlyElem,
        hasEpilogue: true,
        variant: "vec4",
      },
    ],
  };
}

/** Holes of a launch that its stages get. */
const onlyElem = ({ Elem }: Holes): Holes => (Elem === undefined ? {} : { Elem });
