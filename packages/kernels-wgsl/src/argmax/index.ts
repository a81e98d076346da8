import { type Kernel, spread } from "../launch/kernel.ts";
import source from "./argmax.wgsl?raw";

export type ArgmaxParams = Record<"outer" | "reduced" | "inner" | "walked" | "splits" | "chunk", number>;

/**
 * y[o, s, i] = the first k of chunk s where x[o, k, i] is largest; NaN counts as largest.
 *
 * Holes: `CANDIDATES`, whether to choose among the k that an earlier pass found; `key`, an
 * expression in x that is compared in its place; for whole numbers their type as `Elem` and `Key`, and `WHOLE`.
 */
export const argmax: Kernel<ArgmaxParams> = {
  name: "argmax",
  reads: ["x", "candidates"],
  writes: ["y"],
  types: { candidates: "i32", y: "i32" },
  params: { outer: "u32", reduced: "u32", inner: "u32", walked: "u32", splits: "u32", chunk: "u32" },
  variants: {
    plain: {
      name: "serial",
      source,
      workgroups: ({ outer, splits, inner }) => spread(Math.ceil((outer * splits * inner) / 64)),
    },
  },
  cost: ({ outer, walked, inner }) => ({ flops: outer * walked * inner, bytes: 4 * outer * walked * inner }),
};

const LONGEST = 1024; // steps that one invocation takes in sequence, unless a second pass would be longer

/** Parameters of the passes over `[outer, reduced, inner]`; from the second on, with `CANDIDATES`. */
export function argmaxPasses([outer, reduced, inner]: readonly [number, number, number]): ArgmaxParams[] {
  const passes: ArgmaxParams[] = [];
  for (let walked = reduced; walked > 1 || passes.length === 0; ) {
    const chunk = walked <= LONGEST ? walked : Math.ceil(Math.sqrt(walked));
    const splits = Math.ceil(walked / chunk);
    passes.push({ outer, reduced, inner, walked, splits, chunk });
    walked = splits;
  }
  return passes;
}

/** The definition, for one pass over all of x. */
export function argmaxReference(
  x: ArrayLike<number>,
  { outer, reduced, inner, splits, chunk }: ArgmaxParams,
) {
  const y = new Int32Array(outer * splits * inner);
  for (let o = 0, at = 0; o < outer; o++)
    for (let s = 0; s < splits; s++)
      for (let i = 0; i < inner; i++, at++) {
        const value = (k: number) => x[(o * reduced + k) * inner + i]!;
        let best = s * chunk;
        for (let k = best; k < Math.min(reduced, (s + 1) * chunk); k++) {
          if (value(k) > value(best) || (Number.isNaN(value(k)) && !Number.isNaN(value(best)))) best = k;
        }
        y[at] = best;
      }
  return y;
}
