import { type Check, check, randomValues } from "../check.ts";
import {
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

const SHAPES = [
  [3, 4],
  [5, 7],
  [2, 1],
  [53, 3],
  [131, 12],
] as const;

const EPS = 1e-3;

function inputs(M: number, C: number) {
  const x = randomValues(M * C, 1).map((value) => 2 * value + 1);
  const dy = randomValues(M * C, 2);
  const [mean, gamma, beta] = [3, 4, 5].map((seed) => randomValues(C, seed)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const variance = randomValues(C, 6).map((value) => value + 1.5);
  return { x, dy, mean, variance, gamma, beta, eps: EPS };
}

/** Mean and m2 of each chunk, as [splits, 2, C]. */
function partialMoments(x: Float32Array, M: number, C: number, chunk: number): Float64Array {
  const partial: number[] = [];
  for (let first = 0; first < M; first += chunk) {
    const rows = Math.min(chunk, M - first);
    const { mean, variance } = momentsReference(x.subarray(first * C, (first + rows) * C), rows, C);
    partial.push(...mean, ...variance.map((value) => value * rows));
  }
  return Float64Array.from(partial);
}

/** Sums of dy · x̂ and dy over each chunk, as [splits, 2, C]. */
function partialGradients(given: ReturnType<typeof inputs>, M: number, C: number, chunk: number): number[] {
  const partial: number[] = [];
  for (let first = 0; first < M; first += chunk) {
    const part = (values: Float32Array) => values.subarray(first * C, (first + chunk) * C);
    const sums = batchNormGradReference({ ...given, x: part(given.x) }, part(given.dy), false);
    partial.push(...sums.dgamma, ...sums.dbeta);
  }
  return partial;
}

const chunked = SHAPES.map(([M, C]) => ({ ...batchNormParams(M, C), name: `[${[M, C]}]` })).concat({
  name: "[11, 8] in chunks of 4",
  M: 11,
  C: 8,
  splits: 3,
  chunk: 4,
});

export const checks: Check[] = [
  check(moments, () => [
    ...chunked.map(({ name, ...params }) => {
      const { M, C, chunk } = params;
      const { x } = inputs(M, C);
      const expected = partialMoments(x, M, C, chunk);
      return { name, params, reads: [x], writes: [new Float32Array(expected.length)], expected: [expected] };
    }),
    largeMean(),
  ]),
  check(finishMoments, () =>
    [true, false].flatMap((TRACK) =>
      chunked.map(({ name, ...params }) => {
        const { M, C, chunk } = params;
        const { x, mean: runningMean, variance: runningVar } = inputs(M, C);
        const { mean, variance } = momentsReference(x, M, C);
        const after = (running: Float32Array, batch: Float64Array) =>
          TRACK ? running.map((value, c) => 0.7 * value + 0.3 * batch[c]!) : running;
        return {
          name: TRACK ? name : `${name} without running statistics`,
          params: { ...params, momentum: 0.3 },
          holes: { TRACK },
          reads: [Float32Array.from(partialMoments(x, M, C, chunk))],
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
    SHAPES.flatMap(([M, C]) =>
      [false, true].map((relu) => {
        const given = inputs(M, C);
        const y = normalizeReference(given);
        return {
          name: `[${[M, C]}]${relu ? ", relu in its epilogue" : ""}`,
          params: { M, C, eps: EPS },
          ...(relu && { holes: { epilogue: "max(value, Value())" } }),
          reads: [given.x, given.mean, given.variance, given.gamma, given.beta],
          writes: [new Float32Array(M * C)],
          expected: [relu ? y.map((value) => Math.max(value, 0)) : y],
        };
      }),
    ),
  ),
  check(sumGradients, () =>
    chunked.map(({ name, ...params }) => {
      const { M, C, chunk } = params;
      const given = inputs(M, C);
      const expected = partialGradients(given, M, C, chunk);
      return {
        name,
        params: { ...params, eps: EPS },
        reads: [given.x, given.dy, given.mean, given.variance, given.gamma, given.beta],
        writes: [new Float32Array(expected.length)],
        expected: [expected],
      };
    }),
  ),
  check(finishGradients, () =>
    chunked.map(({ name, M, C, splits, chunk }) => {
      const given = inputs(M, C);
      const { dgamma, dbeta } = batchNormGradReference(given, given.dy, false);
      return {
        name,
        params: { C, splits },
        reads: [Float32Array.from(partialGradients(given, M, C, chunk))],
        writes: [new Float32Array(C), new Float32Array(C), new Float32Array(2 * C)],
        expected: [dgamma, dbeta, [...dgamma, ...dbeta]],
      };
    }),
  ),
  check(inputGrad, () =>
    SHAPES.flatMap(([M, C]) =>
      [true, false].map((TRAINING) => {
        const given = inputs(M, C);
        const { dx, dgamma, dbeta } = batchNormGradReference(given, given.dy, TRAINING);
        return {
          name: `[${[M, C]}] in ${TRAINING ? "training" : "evaluation"}`,
          params: { M, C, eps: EPS },
          holes: { TRAINING },
          reads: [
            given.x,
            given.dy,
            given.mean,
            given.variance,
            given.gamma,
            given.beta,
            Float32Array.of(...dgamma, ...dbeta),
          ],
          writes: [new Float32Array(M * C)],
          expected: [dx],
        };
      }),
    ),
  ),
];

/** At a tolerance so tight that an error in the fourth digit of the deviation shows beside the mean. */
function largeMean() {
  const [M, C] = [400, 4];
  const x = randomValues(M * C).map((value) => 1000 + 0.1 * value);
  const expected = partialMoments(x, M, C, M);
  return {
    name: "mean 1000, deviation 0.06",
    params: { M, C, splits: 1, chunk: M },
    reads: [x],
    writes: [new Float32Array(2 * C)],
    expected: [expected],
    tolerance: 1e-7,
    half: false,
  };
}
