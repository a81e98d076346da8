import { type Kernel, strided } from "../kernel.ts";
import source from "./fill.wgsl?raw";

export type FillParams = Record<"length" | "start" | "step", number>;

/**
 * A constant or an arithmetic sequence: y[i] = start + step · i.
 *
 * Holes: `V`, what it computes with (f32, i32, u32), and `Elem`, what y holds (V, or f16 for f32).
 */
export const fill: Kernel<FillParams> = {
  name: "fill",
  reads: [],
  writes: ["y"],
  params: { length: "u32", start: "u32", step: "u32" },
  variants: [{ name: "scalar", source, workgroups: ({ length }) => strided(length, 256) }],
  cost: ({ length }) => ({ flops: 0, bytes: 4 * length }),
};

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Parameters of `fill` for the type that `V` computes with. */
export function fillParams(type: "f32" | "i32" | "u32", length: number, start: number, step = 0): FillParams {
  const encode = (value: number) => {
    if (type !== "f32") return value >>> 0;
    float[0] = value;
    return bits[0]!;
  };
  return { length, start: encode(start), step: encode(step) };
}

/** The definition, in float64. */
export const fillReference = (length: number, start: number, step = 0): Float64Array =>
  Float64Array.from({ length }, (_, i) => start + step * i);
