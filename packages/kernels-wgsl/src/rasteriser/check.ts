import { type Check, check, randomValues } from "../check.ts";
import { resizeRows } from "./pad-channels.ts";

export const checks: Check[] = [
  check(resizeRows, () =>
    [
      [37, 3, 4],
      [5, 8, 4],
      [2, 36, 48],
      [3, 0, 4],
      [0, 3, 4],
      [3, 4, 7],
      [700, 9, 6],
      [9, 300, 301],
      [200, 8, 12],
    ].map(([rows = 0, width = 0, length = 0]) => {
      const x = randomValues(rows * width);
      const y = Float32Array.from({ length: rows * length }, (_, i) => {
        const c = i % length;
        return c < width ? x[((i - c) / length) * width + c]! : 0;
      });
      return {
        name: `${rows} rows of ${width}, to ${length}`,
        params: { rows, width, length },
        reads: [x],
        writes: [new Float32Array(y.length).fill(7)],
        expected: [y],
      };
    }),
  ),
];
