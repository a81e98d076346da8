import { check, randomValues } from "../check.ts";
import { adam, adamParams, adamReference } from "./index.ts";

/** Gradients as they are; those of a loss that was scaled; and those that overflowed then. */
const FACTORS = [
  { what: "", factor: 1, holes: {} },
  { what: ", scaled", factor: 0.125, holes: { factor: "unscale[0]" } },
  { what: ", overflowed", factor: 0, holes: { factor: "unscale[0]" } },
];

export const checks = [
  check(adam, () =>
    [0, 1, 7, 8, 257, 1021, 1024, 5003, 9000].flatMap((length) =>
      [false, true].flatMap((decoupled) =>
        FACTORS.map(({ what, factor, holes }) => {
          const step = decoupled ? 1 : 5;
          const options = { lr: 0.1, betas: [0.9, 0.999], eps: 1e-3, weightDecay: 0.25, decoupled } as const;
          const [dw, w, m] = [1, 2, 3].map((seed) => randomValues(length, seed)) as [
            Float32Array,
            Float32Array,
            Float32Array,
          ];
          const v = randomValues(length, 4).map(Math.abs);
          if (factor === 0) dw.fill(Number.POSITIVE_INFINITY);
          const after = adamReference(
            dw.map((g) => factor * g),
            w,
            m,
            v,
            step,
            options,
          );
          return {
            name: `${length} weights${decoupled ? ", decoupled decay" : ""}${what}`,
            params: adamParams(length, step, options),
            holes,
            reads: [dw, Float32Array.of(factor)],
            writes: [w, m, v],
            expected: factor === 0 ? [w, m, v] : [after.w, after.m, after.v],
          };
        }),
      ),
    ),
  ),
];
