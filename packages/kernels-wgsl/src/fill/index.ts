import { bits, type Scalar } from "../launch/bits.ts";
import { filling, type Kernel } from "../launch/kernel.ts";
import source from "./fill.wgsl?raw";

export type FillParams = Record<"length" | "start" | "step", number>;

/**
 * A constant or an arithmetic sequence: y[i] = start + step · i.
 *
 * Holes: `Scalar`, what it computes with (f32, i32, u32), and `Elem`, what y holds (Scalar, or f16 for f32).
 */
export const fill: Kernel<FillParams> = {
  name: "fill",
  reads: [],
  writes: ["y"],
  params: { length: "u32", start: "u32", step: "u32" },
  numbers: ["start", "step"],
  variants: { plain: { name: "scalar", source, workgroups: ({ length }) => filling(length, 256) } },
  cost: ({ length }) => ({ flops: 0, bytes: 4 * length }),
};

/** Parameters of `fill` for the type that `Scalar` computes with. */
export function fillParams(type: Scalar, length: number, start: number, step = 0): FillParams {
  return { length, start: bits(type, start), step: bits(type, step) };
}

/** The definition, in float64. */
export const fillReference = (length: number, start: number, step = 0): Float64Array =>
  Float64Array.from({ length }, (_, i) => start + step * i);
