import { type Kernel, strided } from "../launch/kernel.ts";
import copySource from "./copy.wgsl?raw";
import fmaSource from "./fma.wgsl?raw";

export type FmaParams = Record<"length" | "steps" | "scale" | "shift", number>;

/** Peak rate of multiply-adds, for rooflines; `steps` is a multiple of 8. */
export const fma: Kernel<FmaParams> = {
  name: "fma",
  reads: [],
  writes: ["y"],
  types: { y: "f32" },
  params: { length: "u32", steps: "u32", scale: "f32", shift: "f32" },
  variants: {
    plain: { name: "chains", source: fmaSource, workgroups: ({ length }) => [Math.ceil(length / 64), 1, 1] },
  },
  cost: ({ length, steps }) => ({ flops: 24 * length * steps, bytes: 4 * length }),
};

/** Peak bandwidth of memory, for rooflines; `length` counts fours of floats. */
export const copy: Kernel<{ length: number }> = {
  name: "copy",
  reads: ["x"],
  writes: ["y"],
  types: { x: "f32", y: "f32" },
  params: { length: "u32" },
  variants: {
    plain: { name: "strided", source: copySource, workgroups: ({ length }) => strided(length, 64) },
    // A rasteriser pays a microsecond for each workgroup: with these it copies twice as fast.
    rasteriser: [
      {
        name: "64 workgroups",
        source: copySource,
        workgroups: ({ length }) => [Math.min(Math.ceil(length / 64), 64), 1, 1],
      },
    ],
  },
  cost: ({ length }) => ({ flops: 0, bytes: 32 * length }),
};

/** The definition of `fma`, in float64. */
export function fmaReference({ length, steps, scale, shift }: FmaParams): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length }, (_, i) => {
    let sum = 0;
    for (let chain = 1; chain <= 12; chain++) {
      let s = (i % 8) + chain;
      for (let step = 0; step < steps; step++) s = s * scale + shift;
      sum += s;
    }
    return sum;
  });
}
