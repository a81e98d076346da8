import { check, randomValues } from "../check.ts";
import { rmsprop, rmspropReference } from "./index.ts";

/** Gradients as they are; those of a loss that was scaled; and those that overflowed then. */
const FACTORS = [
  { what: "", factor: 1, holes: {} },
  { what: ", scaled", factor: 0.125, holes: { factor: "unscale[0]" } },
  { what: ", overflowed", factor: 0, holes: { factor: "unscale[0]" } },
];

export const checks = [
  check(rmsprop, () =>
    [0, 1, 7, 8, 257, 1024, 5003, 9000].flatMap((length) =>
      FACTORS.map(({ what, factor, holes }) => {
        const params = { length, lr: 0.1, alpha: 0.75, rest: 0.25, eps: 1e-2, momentum: 0.5, l2: 0.125 };
        const [dw, w, m] = [1, 2, 3].map((seed) => randomValues(length, seed)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        const v = randomValues(length, 4).map(Math.abs);
        if (factor === 0) dw.fill(Number.POSITIVE_INFINITY);
        const scaled = dw.map((g) => factor * g);
        const after = rmspropReference(scaled, w, m, v, params);
        return {
          name: `${length} weights${what}`,
          params,
          holes,
          reads: [dw, Float32Array.of(factor)],
          writes: [w, m, v],
          expected: factor === 0 ? [w, m, v] : [after.w, after.m, after.v],
        };
      }),
    ),
  ),
];
