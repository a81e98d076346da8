import { type Check, check } from "../check.ts";
import { EPS, fused, inputs, largeMean, partialGradients, partialMoments } from "./cases.ts";
import {
  type BatchNormParams,
  batchNormGradReference,
  batchNormParams,
  finishGradients,
  finishMoments,
  inputGrad,
  moments,
  momentsReference,
  normalize,
  normalizeReference,
  sumGradients,
} from "./index.ts";
import { tileChecks } from "./tileChecks.ts";

const SHAPES = [
  [3, 4],
  [5, 7],
  [2, 1],
  [53, 3],
  [131, 12],
  [67, 260], // several workgroups, of each variant
] as const;

/** All that `inputGrad` needs for a channel, as [4, C]: mean, scale, and two from the gradients' sums. */
function vectors(given: ReturnType<typeof inputs>, dy: ArrayLike<number>): number[] {
  const { mean, variance, gamma } = given;
  const M = given.x.length / mean.length;
  const { dgamma, dbeta } = batchNormGradReference(given, dy);
  const rstd = (c: number) => 1 / Math.sqrt(variance[c]! + EPS);
  const scale = Array.from(gamma, (g, c) => g * rstd(c));
  return [
    ...mean,
    ...scale,
    ...scale.map((s, c) => (s * rstd(c) * dgamma[c]!) / M),
    ...scale.map((s, c) => (s * dbeta[c]!) / M),
  ];
}

interface Chunked extends BatchNormParams {
  name: string;
  half?: boolean;
}

const chunked: Chunked[] = SHAPES.map(([M, C]) => ({ ...batchNormParams(M, C), name: `[${[M, C]}]` })).concat(
  {
    name: "[11, 8] in chunks of 4",
    M: 11,
    C: 8,
    splits: 3,
    chunk: 4,
  },
);

/** A mean so large that float32 has no digit to spare for the deviation; float16 would round it all away. */
const LARGE_MEAN = { name: "mean 1000, deviation 0.06", M: 400, C: 4, splits: 4, chunk: 100, half: false };
export const checks: Check[] = [
  check(moments, () =>
    [...chunked, LARGE_MEAN].map(({ name, half = true, ...params }) => {
      const { M, C, chunk } = params;
      const x = half ? inputs(M, C).x : largeMean(M, C);
      const expected = partialMoments(x, M, C, chunk);
      return {
        ...{ name, params, half, reads: [x], writes: [new Float32Array(expected.length)] },
        expected: [expected],
      };
    }),
  ),
  check(finishMoments, () =>
    [true, false].flatMap((TRACK) =>
      [...chunked, LARGE_MEAN].map(({ name, half = true, ...params }) => {
        const { M, C, chunk } = params;
        const { x: small, mean: runningMean, variance: runningVar } = inputs(M, C);
        const x = half ? small : largeMean(M, C);
        const { mean, variance } = momentsReference(x, M, C);
        const after = (running: Float32Array, batch: Float64Array) =>
          TRACK ? running.map((value, c) => 0.7 * value + 0.3 * batch[c]!) : running;
        return {
          name: TRACK ? name : `${name} without running statistics`,
          params: { ...params, momentum: 0.3 },
          holes: { TRACK },
          half,
          reads: [Float32Array.from(partialMoments(x, M, C, chunk)), x],
          writes: [
            new Float32Array(C),
            new Float32Array(C),
            runningMean.slice(),
            runningVar.slice(),
            Int32Array.of(6),
          ],
          expected: [
            mean,
            variance,
            after(runningMean, mean),
            after(
              runningVar,
              variance.map((value) => (value * M) / (M - 1)),
            ),
            [TRACK ? 7 : 6],
          ],
        };
      }),
    ),
  ),
  check(normalize, () =>
    SHAPES.flatMap(([M, C]) => {
      const given = inputs(M, C);
      const { x, mean, variance, gamma, beta } = given;
      return fused({
        name: `[${[M, C]}]`,
        params: { M, C, eps: EPS },
        reads: [x, mean, variance, gamma, beta],
        writes: [new Float32Array(M * C)],
        expected: [normalizeReference(given)],
      });
    }),
  ),
  check(sumGradients, () =>
    chunked.map(({ name, ...params }) => {
      const { M, C, chunk } = params;
      const given = inputs(M, C);
      const { x, dy, mean, variance } = given;
      const expected = partialGradients(given, M, C, chunk);
      return {
        name,
        params: { ...params, eps: EPS },
        reads: [x, dy, mean, variance],
        writes: [new Float32Array(expected.length)],
        expected: [expected],
      };
    }),
  ),
  check(finishGradients, () =>
    chunked.map(({ name, M, C, splits, chunk }) => {
      const given = inputs(M, C);
      const { mean, variance, gamma, dy } = given;
      const { dgamma, dbeta } = batchNormGradReference(given, dy);
      return {
        name,
        params: { M, C, splits, eps: EPS },
        reads: [Float32Array.from(partialGradients(given, M, C, chunk)), mean, variance, gamma],
        writes: [new Float32Array(C), new Float32Array(C), new Float32Array(4 * C)],
        expected: [dgamma, dbeta, vectors(given, dy)],
      };
    }),
  ),
  check(inputGrad, () =>
    SHAPES.flatMap(([M, C]) => {
      const given = inputs(M, C);
      return fused({
        name: `[${[M, C]}]`,
        params: { M, C },
        reads: [given.x, given.dy, Float32Array.from(vectors(given, given.dy))],
        writes: [new Float32Array(M * C)],
        expected: [batchNormGradReference(given, given.dy).dx],
      });
    }),
  ),
  ...tileChecks,
];
