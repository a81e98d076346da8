import { type Case, check, randomValues } from "../check.ts";
import { type SumSplitsParams, sumSplits } from "./index.ts";

const shapes: [rows: number, channels: number, splits: number][] = [
  [1, 1, 1],
  [5, 7, 3],
  [9, 20, 5],
  [3, 4, 0],
  [67, 20, 5], // several workgroups
  [2, 8, 77],
];

/** A sum, and the same with an operand of each kind in its epilogue. */
function cases(rows: number, channels: number, splits: number): Case<SumSplitsParams>[] {
  const length = rows * channels;
  const partial = randomValues(length * splits, 1);
  const sums = Float64Array.from({ length }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < splits; k++) sum += partial[k * length + i]!;
    return sum;
  });
  const [bias, rest] = [randomValues(channels, 2), randomValues(length, 3)];
  const example = {
    name: `${splits} of ${rows} × ${channels}`,
    params: { length, splits, channels },
    writes: [new Float32Array(length).fill(7)],
  };
  return [
    { ...example, reads: [partial], expected: [sums] },
    {
      ...example,
      name: `${example.name}, with an epilogue`,
      reads: [partial, bias, rest],
      epilogue: {
        expression: "select(max(value + e0 + e1, Vec(0)), value, magnitude(value) > Bits(0x7f800000u))",
        operands: [
          { kind: "channel", type: "f32" },
          { kind: "dense", type: "f32" },
        ],
      },
      expected: [sums.map((sum, i) => Math.max(0, sum + bias[i % channels]! + rest[i]!))],
    },
  ];
}

export const checks = [check(sumSplits, () => shapes.flatMap((shape) => cases(...shape)))];
