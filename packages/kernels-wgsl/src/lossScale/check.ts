import { check } from "../check.ts";
import { lossScale, lossScaleReference } from "./index.ts";

const CASES: [what: string, squares: number, scale: number, good: number, most?: number][] = [
  ["a good step", 3.5, 1024, 2],
  ["no gradient at all", 0, 1024, 0],
  ["the last good step of an interval", 3.5, 1024, 6],
  ["an infinite gradient", Number.POSITIVE_INFINITY, 1024, 6],
  ["a NaN", Number.NaN, 1024, 3],
  ["gradients that are too long", 9 * 1024 ** 2, 1024, 3, 0.5],
  ["gradients that are short enough", 9 * 1024 ** 2, 1024, 3, 3.5],
  ["a scale that is as large as it gets", 3.5, 2 ** 24, 6],
  ["a scale that is as small as it gets", Number.NaN, 2 ** -24, 6],
];

export const checks = [
  check(lossScale, () =>
    CASES.map(([name, squares, scale, good, most = 3e38]) => {
      const params = { interval: 7, most };
      const after = lossScaleReference(squares, scale, good, params);
      return {
        name,
        params,
        reads: [Float32Array.of(squares)],
        writes: [Float32Array.of(5), Float32Array.of(scale), Int32Array.of(good)],
        expected: [[after.unscale], [after.scale], [after.good]],
        tolerance: most < 1 ? 1e-6 : 0,
      };
    }),
  ),
];
