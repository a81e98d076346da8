import { check, randomValues } from "../check.ts";
import { argsort, argsortReference } from "./index.ts";

const shapes: [outer: number, size: number, inner: number][] = [
  [3, 5, 7],
  [1, 1, 1],
  [13, 11, 1],
  [1, 263, 2],
  [2, 0, 3],
  [87, 3, 2], // several workgroups
];

export const checks = [
  check(argsort, () => [
    ...shapes.flatMap((shape) => {
      const x = randomValues(shape[0] * shape[1] * shape[2]).map((value) => Math.round(8 * value) / 8);
      return [false, true].map((descending) => sorted(`ties in [${shape}]`, shape, x, descending));
    }),
    ...[false, true].map((descending) => ({
      ...sorted(
        "NaN and infinities",
        [1, 7, 1],
        Float32Array.of(1, Number.NaN, 3, -Infinity, Number.NaN, Infinity, -2),
        descending,
      ),
      half: false,
    })),
    {
      name: "whole numbers beyond float32",
      params: { outer: 1, size: 3, inner: 1 },
      holes: { Elem: "i32", Key: "i32", WHOLE: true },
      half: false,
      reads: [Int32Array.of(16_777_217, -5, 16_777_216)],
      writes: [new Int32Array(3)],
      expected: [[1, 2, 0]],
    },
  ]),
];

function sorted(
  name: string,
  [outer, size, inner]: readonly [number, number, number],
  x: Float32Array,
  DESCENDING: boolean,
) {
  const params = { outer, size, inner };
  const expected = argsortReference(x, params, DESCENDING);
  return {
    name: `${name}${DESCENDING ? ", the largest first" : ""}`,
    params,
    holes: { DESCENDING },
    reads: [x],
    writes: [new Int32Array(expected.length)],
    expected: [expected],
  };
}
