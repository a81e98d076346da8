import { type Quad, quads } from "../axes.ts";
import { bits, type Scalar } from "../launch/bits.ts";
import { filling, type Kernel, type Variant } from "../launch/kernel.ts";
import { multiplesOf4 } from "../launch/tiles.ts";
import type { StridedView } from "../stridedCopy/index.ts";
import source from "./stridedPad.wgsl?raw";

type Quads<T> = Record<`${keyof Axis}${0 | 1}`, T>;

export type PadParams = Quads<Quad> & Record<"length" | "axes" | "xOffset" | "value", number>;

/** Two quads of each number of an axis, made by `f` from its name and which one it is. */
const quadsOf = <T>(f: (name: keyof Axis, i: 0 | 1) => T): Quads<T> =>
  Object.fromEntries(
    (["shape", "low", "step", "count", "x"] as const).flatMap((name) =>
      ([0, 1] as const).map((i) => [name + i, f(name, i)]),
    ),
  ) as Quads<T>;

const vec4: Variant<PadParams> = {
  name: "vec4",
  source,
  holes: { WIDTH: 4, Vec: "vec4<Elem>" },
  fits: isVec4Pad,
  workgroups: ({ length }) => filling(length / 4, 256),
};

/**
 * Elements of x in a window of y, at every `step`-th place along each axis, and a value elsewhere: XLA's Pad, with low, high and
 * interior padding, of an x that is walked by strides.
 *
 * Holes: `Elem`, the type of both, and `Scalar`, that of the value (f32, i32, u32).
 */
export const pad: Kernel<PadParams> = {
  name: "pad",
  reads: ["x"],
  writes: ["y"],
  params: {
    ...quadsOf(() => "vec4u" as const),
    ...{ length: "u32", axes: "u32", xOffset: "u32", value: "u32" },
  },
  numbers: ["value"],
  variants: {
    plain: { name: "scalar", source, workgroups: ({ length }) => filling(length, 256) },
    gpu: [vec4],
    rasteriser: [vec4],
  },
  cost: ({ length }) => ({ flops: 0, bytes: 8 * length }),
};

function isVec4Pad({ shape0, low0, count0, step0, x0, x1, xOffset }: PadParams): boolean {
  const [stride, ...strides] = x0;
  const numbers = [shape0[0], low0[0], count0[0], ...strides, ...x1, xOffset];
  return stride === 1 && step0[0] === 1 && multiplesOf4(...numbers);
}

/** Elements along an axis of y, the first of them that is x's, the distance to the next, and how many there are. */
export interface Window {
  readonly side: number;
  readonly low: number;
  readonly step: number;
  readonly count: number;
}

/**
 * Parameters to fill the `windows`, first axis first, with the elements of x that `from` walks to.
 *
 * @throws KernelError if more than 8 axes cannot be merged with their neighbours.
 */
export function padParams(
  windows: readonly Window[],
  from: StridedView,
  type: Scalar,
  value: number,
): PadParams {
  const axes = collapse(windows, from.strides);
  const of = (name: keyof Axis) =>
    quads(
      axes.map((axis) => axis[name]),
      Number(name !== "low" && name !== "x"),
    );
  return {
    ...quadsOf((name, i) => of(name)[i]),
    ...{ length: windows.reduce((size, { side }) => size * side, 1), axes: axes.length },
    ...{ xOffset: from.offset, value: bits(type, value) },
  };
}

/** A window, its side as `shape`; `x`: elements of x between neighbours. */
type Axis = Record<"shape" | "low" | "step" | "count" | "x", number>;

/** Axes from the last to the first, one that x fills merged into the one before it where x is walked as if they were one. */
function collapse(windows: readonly Window[], strides: readonly number[]): Axis[] {
  const merged: Axis[] = [];
  for (const [i, { side, ...window }] of [...windows.entries()].reverse()) {
    const axis = { ...window, shape: side, x: strides[i]! };
    const inner = merged.at(-1);
    if (inner && fills(inner) && axis.step === 1 && axis.x === inner.x * inner.shape) {
      inner.low = axis.low * inner.shape;
      inner.count = axis.count * inner.shape;
      inner.shape *= side;
    } else if (side !== 1 || !fills(axis)) merged.push(axis);
  }
  return merged;
}

const fills = ({ shape, low, step, count }: Axis): boolean => low === 0 && step === 1 && count === shape;

/** The definition: what y is. */
export function padReference(
  windows: readonly Window[],
  { x, at }: { x: ArrayLike<number>; at: StridedView },
  value = 0,
): Float64Array {
  const y = new Float64Array(windows.reduce((size, { side }) => size * side, 1)).fill(value);
  const visit = (axis: number, i: number, j: number): void => {
    const window = windows[axis];
    if (!window) y[i] = x[j]!;
    else
      for (let k = 0; k < window.count; k++)
        visit(axis + 1, i * window.side + window.low + k * window.step, j + k * at.strides[axis]!);
  };
  visit(0, 0, at.offset);
  return y;
}
