import { check, randomValues } from "../check.ts";
import { momentum, sgd, sgdReference } from "./index.ts";

const SIZES = [0, 1, 7, 8, 257, 1021, 1024, 5003, 9000];

/** Gradients as they are; those of a loss that was scaled; and those that overflowed then. */
const FACTORS = [
  { what: "", factor: 1, holes: {} },
  { what: ", scaled", factor: 0.125, holes: { factor: "unscale[0]" } },
  { what: ", overflowed", factor: 0, holes: { factor: "unscale[0]" } },
];

const cases = SIZES.flatMap((length) => FACTORS.map((scaled) => ({ length, ...scaled })));

export const checks = [
  check(sgd, () =>
    cases.map(({ length, what, factor, holes }) => {
      const params = { length, lr: 0.1, weightDecay: 0.25 };
      const [dw, w] = [randomValues(length, 1), randomValues(length, 2)];
      if (factor === 0) dw.fill(Number.NaN);
      return {
        name: `${length} weights${what}`,
        params,
        holes,
        reads: [dw, Float32Array.of(factor)],
        writes: [w],
        expected: [
          factor === 0
            ? w
            : sgdReference(
                dw.map((g) => factor * g),
                w,
                w,
                params,
              ).w,
        ],
      };
    }),
  ),
  check(momentum, () =>
    [false, true].flatMap((NESTEROV) =>
      cases.map(({ length, what, factor, holes }) => {
        const params = { length, lr: 0.1, momentum: 0.875, weightDecay: 0.25 };
        const [dw, w, m] = [1, 2, 3].map((seed) => randomValues(length, seed)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        if (factor === 0) dw.fill(Number.NaN);
        const after = sgdReference(
          dw.map((g) => factor * g),
          w,
          m,
          params,
          NESTEROV,
        );
        return {
          name: `${length} weights${NESTEROV ? ", Nesterov" : ""}${what}`,
          params,
          holes: { NESTEROV, ...holes },
          reads: [dw, Float32Array.of(factor)],
          writes: [w, m],
          expected: factor === 0 ? [w, m] : [after.w, after.m],
        };
      }),
    ),
  ),
];
