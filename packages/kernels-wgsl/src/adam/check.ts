import { check, randomValues } from "../check.ts";
import { adam, adamParams, adamReference } from "./index.ts";

export const checks = [
  check(adam, () =>
    [0, 1, 7, 8, 257, 1021, 1024].flatMap((length) =>
      [false, true].map((decoupled) => {
        const step = decoupled ? 1 : 5;
        const options = { lr: 0.1, betas: [0.9, 0.999], eps: 1e-3, weightDecay: 0.25, decoupled } as const;
        const [dw, w, m] = [1, 2, 3].map((seed) => randomValues(length, seed)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        const v = randomValues(length, 4).map(Math.abs);
        const after = adamReference(dw, w, m, v, step, options);
        return {
          name: `${length} weights${decoupled ? ", decoupled decay" : ""}`,
          params: adamParams(length, step, options),
          reads: [dw],
          writes: [w, m, v],
          expected: [after.w, after.m, after.v],
        };
      }),
    ),
  ),
];
