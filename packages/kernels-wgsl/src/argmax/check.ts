import { check, randomValues } from "../check.ts";
import { argmax, argmaxPasses, argmaxReference } from "./index.ts";

export const checks = [
  check(argmax, () => [
    ...(
      [
        [3, 5, 7],
        [1, 1, 1],
        [13, 11, 1],
        [1, 1033, 2],
        [7, 5, 130],
      ] as const
    ).map((shape) => {
      const x = randomValues(shape[0] * shape[1] * shape[2]).map((value) => Math.round(3 * value) / 4);
      return firstPass(`ties in [${shape}]`, shape, x);
    }),
    firstPass(
      "NaN",
      [2, 4, 1],
      Float32Array.of(1, Number.NaN, 3, Number.NaN, -2, -1, Number.NEGATIVE_INFINITY, -1),
    ),
    {
      name: "among candidates",
      params: { outer: 1, reduced: 9, inner: 1, walked: 3, splits: 1, chunk: 3 },
      holes: { CANDIDATES: true, key: "-x" },
      reads: [Float32Array.of(0, 5, 0, 0, 4, 0, 4, 0, 0), Int32Array.of(1, 4, 6)],
      writes: [new Int32Array(1)],
      expected: [[4]],
    },
  ]),
];

function firstPass(name: string, shape: readonly [number, number, number], x: Float32Array) {
  const params = argmaxPasses(shape)[0]!;
  const expected = argmaxReference(x, params);
  return {
    name,
    params,
    reads: [x, new Int32Array(1)],
    writes: [new Int32Array(expected.length)],
    expected: [expected],
    half: !x.some(Number.isNaN),
  };
}
