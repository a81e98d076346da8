import { type Kernel, spread } from "../launch/kernel.ts";
import rows from "./rows.wgsl?raw";
import source from "./scan.wgsl?raw";

export type ScanParams = Record<"outer" | "size" | "inner", number>;

/**
 * Sums of the elements so far along one axis.
 *
 * Holes: `REVERSE` adds from the last on; for whole numbers their type as `Elem` and `Sum`.
 */
export const scan: Kernel<ScanParams> = {
  name: "scan",
  reads: ["x"],
  writes: ["y"],
  params: { outer: "u32", size: "u32", inner: "u32" },
  variants: {
    plain: {
      name: "serial",
      source,
      workgroups: ({ outer, inner }) => spread(Math.ceil((outer * inner) / 64)),
    },
    gpu: [
      {
        name: "rows",
        source: rows,
        fits: ({ inner }) => inner === 1,
        workgroups: ({ outer, size }) => spread(size === 0 ? 0 : outer),
      },
    ],
  },
  prefer: ({ size }) => (size >= 256 ? "rows" : "serial"),
  cost: ({ outer, size, inner }) => ({ flops: outer * size * inner, bytes: 8 * outer * size * inner }),
};

/** The definition, in float64. */
export function scanReference(
  x: ArrayLike<number>,
  { outer, size, inner }: ScanParams,
  reverse: boolean,
): Float64Array {
  const y = new Float64Array(outer * size * inner);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let sum = 0;
      for (let k = 0; k < size; k++) {
        const at = (o * size + (reverse ? size - 1 - k : k)) * inner + i;
        sum += x[at]!;
        y[at] = sum;
      }
    }
  return y;
}
