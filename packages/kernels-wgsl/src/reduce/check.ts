import { check, randomValues } from "../check.ts";
import {
  expand,
  expandReference,
  meanReference,
  NAN_OR,
  type ReduceParams,
  reduce,
  reducePasses,
  reduceReference,
} from "./index.ts";

const ROUNDS = [
  [3, 5, 7],
  [1, 1, 1],
  [13, 11, 1],
  [2, 67, 1],
  [5, 1, 9],
  [3, 17, 8],
  [1, 523, 4],
  [1, 5003, 1],
  [2, 0, 3],
  [7, 19, 132],
  [301, 40, 1],
  [2, 130, 77],
] as const;

const LOWEST = Number.NEGATIVE_INFINITY;

export const checks = [
  check(reduce, () => [
    ...ROUNDS.map((shape) => sum(`sum of [${shape}]`, reducePasses(shape, { initial: 0, scale: 0.5 })[0]!)),
    sum("chunks, the last one short", {
      outer: 3,
      reduced: 23,
      inner: 4,
      splits: 4,
      chunk: 7,
      initial: 0,
      scale: 1,
      lastWeight: 1,
    }),
    ...[
      ...ROUNDS.filter(([, reduced]) => reduced > 0).map((shape) => reducePasses(shape)[0]!),
      { outer: 2, reduced: 23, inner: 4, splits: 4, chunk: 7, initial: 0, scale: 1, lastWeight: 0.25 },
      { outer: 3, reduced: 301, inner: 1, splits: 2, chunk: 151, initial: 0, scale: 1, lastWeight: 1.5 },
    ].map((params) => {
      const { outer, reduced, inner, splits, chunk } = params;
      const x = randomValues(outer * reduced * inner).map((value) => value + 0.5);
      return {
        name: `means of [${[outer, reduced, inner]}] in ${splits} chunks of ${chunk}`,
        params,
        holes: { MEAN: true },
        reads: [x],
        races: x.length === 1, // a mean combines twice, and each needs a barrier before it
        writes: [new Float32Array(outer * splits * inner)],
        expected: [meanReference(x, params)],
      };
    }),
    ...[4, 1].map((inner) => {
      const params = {
        outer: 1,
        reduced: 41,
        inner,
        splits: 1,
        chunk: 41,
        initial: 0,
        scale: 1,
        lastWeight: 1,
      };
      return {
        name: `the mean of equal numbers, beside ${inner - 1} others, is that number`,
        params,
        holes: { MEAN: true },
        half: false,
        tolerance: 0,
        reads: [new Float32Array(41 * inner).fill(0.1)],
        writes: [new Float32Array(inner)],
        expected: [new Float32Array(inner).fill(0.1)],
      };
    }),
    ...[
      [7, 5, 4],
      [7, 70, 1],
    ].map(([outer = 0, reduced = 0, inner = 0]) => {
      const params = {
        outer,
        reduced,
        inner,
        splits: 1,
        chunk: reduced,
        initial: LOWEST,
        scale: 1,
        lastWeight: 1,
      };
      const x = randomValues(outer * reduced * inner);
      x.fill(LOWEST, 0, reduced * inner);
      x[x.length - 1] = Number.NaN;
      return {
        name: `maximum of [${[outer, reduced, inner]}], a row of -∞ and a NaN among them`,
        params,
        holes: { combine: NAN_OR("max") },
        half: false,
        reads: [x],
        writes: [new Float32Array(outer * inner)],
        expected: [reduceReference(x, params, Math.max)],
      };
    }),
  ]),
  check(expand, () =>
    ROUNDS.map(([outer, reduced, inner]) => {
      const params = { outer, reduced, inner, scale: 0.25 };
      const x = randomValues(outer * inner);
      return {
        name: `[${[outer, inner]}] to [${[outer, reduced, inner]}]`,
        params,
        reads: [x],
        writes: [new Float32Array(outer * reduced * inner)],
        expected: [expandReference(x, params)],
      };
    }),
  ),
];

function sum(name: string, params: ReduceParams) {
  const { outer, reduced, inner, splits } = params;
  const x = randomValues(outer * reduced * inner).map((value) => value + 0.5);
  return {
    name,
    params,
    reads: [x],
    writes: [new Float32Array(outer * splits * inner)],
    expected: [reduceReference(x, params)],
  };
}
