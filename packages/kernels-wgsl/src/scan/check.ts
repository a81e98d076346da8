import { check, randomValues } from "../check.ts";
import { scan, scanReference } from "./index.ts";

const shapes: [outer: number, size: number, inner: number][] = [
  [3, 5, 7],
  [1, 1, 1],
  [13, 11, 1],
  [1, 2051, 2],
  [2, 0, 3],
  [67, 3, 1],
  [3, 2051, 1],
];

export const checks = [
  check(scan, () => [
    ...shapes.flatMap(([outer, size, inner]) =>
      [false, true].map((REVERSE) => {
        const params = { outer, size, inner };
        const x = randomValues(outer * size * inner);
        const expected = scanReference(x, params, REVERSE);
        return {
          name: `[${[outer, size, inner]}]${REVERSE ? " from the end" : ""}`,
          params,
          holes: { REVERSE },
          races: size > 2000 && inner === 1, // a loop that turns three times
          reads: [x],
          writes: [new Float32Array(expected.length)],
          expected: [expected],
        };
      }),
    ),
    {
      name: "whole numbers beyond float32",
      params: { outer: 1, size: 3, inner: 1 },
      holes: { Elem: "i32", Sum: "i32" },
      half: false,
      reads: [Int32Array.of(16_777_217, -5, 7)],
      writes: [new Int32Array(3)],
      expected: [[16_777_217, 16_777_212, 16_777_219]],
      tolerance: 0,
    },
  ]),
];
