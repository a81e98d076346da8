import { check, randomValues } from "../check.ts";
import { type ResampleRowsParams, resampleRows, resampleRowsReference, triangle } from "./index.ts";

const shapes: [name: string, params: Omit<ResampleRowsParams, "first">][] = [
  ["a row", { H: 1, to: 1, top: 0, P: 1, E: 1 }],
  ["as they are", { H: 7, to: 7, top: 0, P: 7, E: 5 }],
  ["fewer rows", { H: 31, to: 11, top: 0, P: 11, E: 9 }],
  ["far fewer rows, a part of them", { H: 211, to: 16, top: 5, P: 7, E: 21 }],
  ["more rows, over several workgroups", { H: 5, to: 37, top: 3, P: 29, E: 7 }],
  ["one row becomes many", { H: 1, to: 13, top: 0, P: 13, E: 3 }],
];

export const checks = [
  check(resampleRows, () =>
    shapes.map(([name, shape]) => {
      const { H, to, top, P, E } = shape;
      const first = triangle(top, H, to).first;
      const last = triangle(top + P - 1, H, to);
      const params = { ...shape, first };
      const x = randomValues((last.first + last.shares.length - first) * E);
      const expected = resampleRowsReference(x, params);
      return { name, params, reads: [x], writes: [new Float32Array(P * E)], expected: [expected] };
    }),
  ),
];
