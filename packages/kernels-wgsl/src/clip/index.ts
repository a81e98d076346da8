import type { Kernel, Variant, Workgroups } from "../launch/kernel.ts";
import { vectorized } from "../launch/vectorized.ts";
import clipNormSource from "./clipNorm.wgsl?raw";
import clipValueSource from "./clipValue.wgsl?raw";
import squaresSource from "./squares.wgsl?raw";

export type SquaresParams = Record<"length" | "start" | "sums", number>;
export type ClipParams = Record<"length" | "most", number>;

const squares4: Variant<SquaresParams> = {
  name: "vec4",
  source: squaresSource,
  holes: { WIDTH: 4, Vec: "vec4f", total: "x.x + x.y + x.z + x.w" },
  fits: ({ length }) => length % 4 === 0,
  workgroups: perSum,
};

/** Partial sums of squares, `sums` of them from `start` on; the rest of `partial` stays as it is. */
export const squares: Kernel<SquaresParams> = {
  name: "squares",
  reads: ["x"],
  writes: ["partial"],
  types: { x: "f32", partial: "f32" },
  params: { length: "u32", start: "u32", sums: "u32" },
  variants: {
    plain: { name: "scalar", source: squaresSource, workgroups: perSum },
    gpu: [squares4],
    rasteriser: [squares4],
  },
  cost: ({ length }) => ({ flops: 2 * length, bytes: 4 * length }),
};

function perSum({ sums }: SquaresParams): Workgroups {
  return [Math.ceil(sums / 64), 1, 1];
}

/** Number of partial sums that `squares` makes of `length` elements: enough to fill a GPU, 0 for 0 elements. */
export const squaresSums = (length: number): number => Math.min(Math.ceil(length / 64), 16_384);

/** Scale x down by most / norm, where the norm is larger than that. */
export const clipNorm: Kernel<ClipParams> = {
  name: "clipNorm",
  reads: ["norm"],
  writes: ["x"],
  types: { norm: "f32", x: "f32" },
  params: { length: "u32", most: "f32" },
  variants: vectorized(clipNormSource),
  cost: ({ length }) => ({ flops: length, bytes: 8 * length }),
};

/** Limit each element of x to [-most, most]. */
export const clipValue: Kernel<ClipParams> = {
  name: "clipValue",
  reads: [],
  writes: ["x"],
  types: { x: "f32" },
  params: { length: "u32", most: "f32" },
  variants: vectorized(clipValueSource, { Bits: "vec4u" }),
  cost: ({ length }) => ({ flops: 2 * length, bytes: 8 * length }),
};

/** The definition of `squares`, in float64, one element at a time. */
export function squaresReference(
  x: ArrayLike<number>,
  { start, sums }: SquaresParams,
  partial: ArrayLike<number>,
): Float64Array {
  const after = Float64Array.from(partial);
  after.fill(0, start, start + sums);
  for (let i = 0; i < x.length; i++) after[start + (i % sums)]! += x[i]! ** 2;
  return after;
}

/** The definition of `clipNorm`, in float64. */
export const clipNormReference = (x: ArrayLike<number>, norm: number, most: number): Float64Array =>
  Float64Array.from(x, (value) => value * Math.min(1, most / (norm + 1e-6)));
