import { type Kernel, strided } from "../launch/kernel.ts";
import source from "./argsort.wgsl?raw";

export type SortParams = Record<"outer" | "size" | "inner", number>;

/**
 * Places of the elements along one axis in their order: a stable sort by counting, NaN as the largest.
 *
 * Holes: `DESCENDING`; for whole numbers their type as `Elem` and `Key`, and `WHOLE`.
 */
export const argsort: Kernel<SortParams> = {
  name: "argsort",
  reads: ["x"],
  writes: ["y"],
  types: { y: "i32" },
  params: { outer: "u32", size: "u32", inner: "u32" },
  variants: {
    plain: {
      name: "counting",
      source,
      workgroups: ({ outer, size, inner }) => strided(outer * size * inner, 256),
    },
  },
  cost: ({ outer, size, inner }) => ({ flops: outer * size * size * inner, bytes: 8 * outer * size * inner }),
};

/** The definition. */
export function argsortReference(
  x: ArrayLike<number>,
  { outer, size, inner }: SortParams,
  descending: boolean,
): Int32Array {
  const y = new Int32Array(outer * size * inner);
  const compare = (a: number, b: number): number => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return Number(a > b) - Number(a < b);
  };
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const at = (k: number) => x[(o * size + k) * inner + i]!;
      const order = Array.from({ length: size }, (_, k) => k);
      order.sort((a, b) => (descending ? compare(at(b), at(a)) : compare(at(a), at(b))));
      for (const [rank, k] of order.entries()) y[(o * size + rank) * inner + i] = k;
    }
  return y;
}
