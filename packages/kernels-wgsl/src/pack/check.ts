import { check, randomValues } from "../check.ts";
import { PACKED, type Part, pack, packParams, packReference } from "./index.ts";

/** Lengths and splits of the parts of a launch, each part at the next multiple of 64. */
const CASES: [length: number, splits: number][][] = [
  [[1, 1]],
  [
    [64, 1],
    [65, 3],
    [0, 1],
    [7, 2],
  ],
  [
    [300, 1],
    [1, 9],
    [64, 2],
    [63, 1],
    [128, 1],
    [5, 5],
    [1021, 1],
  ],
  // fours, of one part and of all seven
  [[2304, 40]],
  [
    [4, 3],
    [64, 1],
    [0, 2],
    [1500, 2],
    [128, 1],
    [2052, 1],
    [12, 7],
  ],
];

export const checks = [
  check(pack, () =>
    CASES.map((lengths) => {
      let start = 0;
      const parts = lengths.map(([length, splits]): Part => {
        const part = { start, length, space: Math.ceil(length / 64) * 64, splits };
        start += part.space + 64; // what lies between parts stays as it is
        return part;
      });
      const contents = parts.map(({ length, splits }, k) =>
        randomValues(Math.max(1, length * splits), k + 1),
      );
      const flat = randomValues(start, 9);
      return {
        name: lengths.map(([length, splits]) => `${splits}×${length}`).join(" "),
        params: packParams(parts),
        half: false,
        reads: Array.from({ length: PACKED }, (_, k) => contents[k] ?? contents[0]!),
        writes: [flat],
        expected: [packReference(contents, parts, flat)],
      };
    }),
  ),
];
