import { check, randomValues } from "../check.ts";
import { broadcast, dense, map, mapReference } from "./index.ts";

export const checks = [
  check(map, () => [
    ...[1, 7, 257, 1021].map((length) => {
      const [a, b, c] = [1, 2, 3].map((seed) => randomValues(length, seed)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      return {
        name: `fused multiply-add of ${length}`,
        params: dense(length),
        holes: { f: "a * b + c" },
        reads: [a, b, c],
        writes: [new Float32Array(length)],
        expected: [mapReference((a, b, c) => a * b + c, a, b, c)],
      };
    }),
    {
      name: "outer product of a column and a row, plus a scalar",
      params: broadcast([3, 5], [[1, 0], [0, 1], []]),
      holes: { f: "a * b + c", BROADCAST: true },
      reads: [Float32Array.of(1, 2, 3), Float32Array.of(1, 2, 3, 4, 5), Float32Array.of(0.5)],
      writes: [new Float32Array(15)],
      expected: [[1, 2, 3, 4, 5, 2, 4, 6, 8, 10, 3, 6, 9, 12, 15].map((y) => y + 0.5)],
    },
  ]),
];
