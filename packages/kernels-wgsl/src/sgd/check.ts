import { check, randomValues } from "../check.ts";
import { momentum, sgd, sgdReference } from "./index.ts";

const SIZES = [0, 1, 7, 8, 257, 1021, 1024];

export const checks = [
  check(sgd, () =>
    SIZES.map((length) => {
      const params = { length, lr: 0.1, weightDecay: 0.25 };
      const [dw, w] = [randomValues(length, 1), randomValues(length, 2)];
      return {
        name: `${length} weights`,
        params,
        reads: [dw],
        writes: [w],
        expected: [sgdReference(dw, w, w, params).w],
      };
    }),
  ),
  check(momentum, () =>
    [false, true].flatMap((NESTEROV) =>
      SIZES.map((length) => {
        const params = { length, lr: 0.1, momentum: 0.875, weightDecay: 0.25 };
        const [dw, w, m] = [1, 2, 3].map((seed) => randomValues(length, seed)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        const after = sgdReference(dw, w, m, params, NESTEROV);
        return {
          name: `${length} weights${NESTEROV ? ", Nesterov" : ""}`,
          params,
          holes: { NESTEROV },
          reads: [dw],
          writes: [w, m],
          expected: [after.w, after.m],
        };
      }),
    ),
  ),
];
