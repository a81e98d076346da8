import { check, randomValues } from "../check.ts";
import { clipNorm, clipNormReference, clipValue, squares, squaresReference } from "./index.ts";

const SIZES = [0, 1, 7, 8, 257, 1021, 1024, 5003, 9000];

export const checks = [
  check(squares, () =>
    SIZES.flatMap((length) =>
      // With several sums, each variant groups the elements in its own way.
      (length % 4 === 0 ? [1] : [1, 3, 70]).map((sums) => ({ length, sums, x: randomValues(length, 1) })),
    )
      // Equal elements have the same sums in each way.
      .concat({ length: 4 * 70 * 3, sums: 70, x: new Float32Array(4 * 70 * 3).fill(0.75) })
      .map(({ length, sums, x }) => {
        const params = { length, start: 2, sums };
        const partial = randomValues(sums + 4, 2);
        return {
          name: `${length} elements, ${sums} sums`,
          params,
          reads: [x],
          writes: [partial],
          expected: [squaresReference(x, params, partial)],
        };
      }),
  ),
  check(clipNorm, () =>
    SIZES.flatMap((length) =>
      [0.5, 1, 4].map((norm) => {
        const x = randomValues(length);
        return {
          name: `${length} elements of norm ${norm}`,
          params: { length, most: 1 },
          reads: [Float32Array.of(norm)],
          writes: [x],
          expected: [clipNormReference(x, norm, 1)],
        };
      }),
    ),
  ),
  check(clipValue, () =>
    SIZES.map((length) => {
      const x = randomValues(length);
      if (length > 2) x.set([Number.NaN, Number.NEGATIVE_INFINITY]);
      return {
        name: `${length} elements`,
        params: { length, most: 0.25 },
        reads: [],
        writes: [x],
        expected: [x.map((value) => Math.min(0.25, Math.max(value, -0.25)))],
        tolerance: 0,
      };
    }),
  ),
];
