import { check, randomValues } from "../check.ts";
import { copy, fma, fmaReference } from "./index.ts";

export const checks = [
  check(fma, () =>
    [3, 131].map((length) => {
      const params = { length, steps: 8, scale: 0.75, shift: 0.5 };
      return {
        name: `${length} sums`,
        params,
        reads: [],
        writes: [new Float32Array(length)],
        expected: [fmaReference(params)],
      };
    }),
  ),
  check(copy, () =>
    [1, 131].map((length) => {
      const x = randomValues(4 * length);
      return {
        name: `${length} fours`,
        params: { length },
        reads: [x],
        writes: [new Float32Array(4 * length)],
        expected: [x],
      };
    }),
  ),
];
