import { type Check, check, randomValues } from "../check.ts";
import { EPS, fused, inputs, largeMean, partialGradients, partialMoments } from "./cases.ts";
import {
  batchNormGradReference,
  inputGradBatch,
  momentsReference,
  normalizeBatch,
  normalizeReference,
  type TiledParams,
  tileGradients,
  tileMoments,
} from "./index.ts";

interface Chunked extends TiledParams {
  name: string;
  half?: boolean;
}

/** Chunks shorter than a column of invocations and longer, one alone, and a tile that is cut off. */
const CHUNKED: Chunked[] = [
  ...[
    [53, 3, 20],
    [131, 20, 131],
    [300, 36, 140],
    [270, 16, 150], // a tile's channels exactly, in several tiles of rows
  ].map(([M = 0, C = 0, chunk = 0]) => ({
    ...{ M, C, chunk, splits: Math.ceil(M / chunk), name: `[${[M, C]}] in chunks of ${chunk}` },
  })),
  { name: "mean 1000, deviation 0.06", M: 400, C: 4, splits: 4, chunk: 100, half: false },
];

/** Chunks of a convolution's tiles: short, and so many that an invocation adds up several. */
const OF_TILES: Chunked[] = [
  { name: "[2117, 20] in tiles of 32", M: 2117, C: 20, splits: 67, chunk: 32 },
  { name: "mean 1000, deviation 0.06, in tiles of 64", M: 400, C: 4, splits: 7, chunk: 64, half: false },
];

const given = ({ M, C, half = true }: Chunked) => ({
  ...inputs(M, C),
  ...(!half && { x: largeMean(M, C) }),
});

/** Results of the first pass for the second: vectors of C, then sums by chunk. */
const headed = (vectors: ArrayLike<number>[], partial: ArrayLike<number>): Float32Array =>
  Float32Array.from([...vectors.flatMap((vector) => Array.from(vector)), ...Array.from(partial)]);

const running = (C: number) => ({ varianceAt: 64 * Math.ceil(C / 64), batchesAt: 128 * Math.ceil(C / 64) });

/** Bits of running statistics, where `normalizeBatch` has them. */
function stored(mean: ArrayLike<number>, variance: ArrayLike<number>, batches: number): Uint32Array {
  const { varianceAt, batchesAt } = running(mean.length);
  const floats = new Float32Array(batchesAt + 4);
  floats.set(Array.from(mean));
  floats.set(Array.from(variance), varianceAt);
  const words = new Uint32Array(floats.buffer);
  words[batchesAt] = batches;
  return words;
}

export const tileChecks: Check[] = [
  check(tileMoments, () =>
    CHUNKED.map((one) => {
      const { name, half = true, ...params } = one;
      const { x, gamma, beta } = given(one);
      const expected = headed([gamma, beta], partialMoments(x, params.M, params.C, params.chunk));
      return {
        ...{ name, params, half, reads: [x, gamma, beta], writes: [new Float32Array(expected.length)] },
        expected: [expected],
      };
    }),
  ),
  check(normalizeBatch, () =>
    [...CHUNKED, ...OF_TILES].flatMap((one, i) =>
      // Each of both takes a while to compile.
      [i !== 1].flatMap((TRACK) => {
        const BY_CHUNK = i >= CHUNKED.length;
        const { name, half = true, ...params } = one;
        const { M, C, chunk } = params;
        const { x, gamma, beta, mean: before, variance: beforeVar } = given(one);
        const { mean, variance } = momentsReference(x, M, C);
        const partial = headed([gamma, beta], partialMoments(x, M, C, chunk, BY_CHUNK));
        const follow = (before: ArrayLike<number>, batch: Float64Array) =>
          batch.map((value, c) => 0.7 * before[c]! + 0.3 * value);
        const corrected = variance.map((value) => (value * M) / (M - 1));
        const unchanged = stored(before, beforeVar, 6);
        const followed = stored(follow(before, mean), follow(beforeVar, corrected), 7);
        return fused({
          name: `${name}${TRACK ? "" : " without running statistics"}`,
          params: { ...params, ...running(C), momentum: 0.3, eps: EPS },
          holes: { TRACK, ...(BY_CHUNK && { BY_CHUNK, DEPTH: 3 }) },
          half,
          reads: [x, partial],
          writes: [new Float32Array(M * C), new Float32Array(2 * C), unchanged],
          expected: [
            normalizeReference({ x, mean, variance, gamma, beta, eps: EPS }),
            [...mean, ...variance],
            TRACK ? followed : unchanged,
          ],
        });
      }),
    ),
  ),
  check(tileGradients, () =>
    CHUNKED.map((one) => {
      const { name, half = true, ...params } = one;
      const { M, C, chunk } = params;
      const all = { ...given(one), ...(!half && momentsReference(given(one).x, M, C)) };
      const { x, dy, gamma } = all;
      const [mean, variance] = [Float32Array.from(all.mean), Float32Array.from(all.variance)];
      const rstd = Array.from(variance, (value) => 1 / Math.sqrt(value + EPS));
      const scale = rstd.map((value, c) => value * gamma[c]!);
      const sums = partialGradients({ ...all, mean, variance }, M, C, chunk);
      const expected = headed([mean, rstd, scale, new Float32Array(C)], sums);
      return {
        name,
        params: { ...params, eps: EPS },
        half,
        reads: [x, dy, headed([mean, variance], []), gamma],
        writes: [new Float32Array(expected.length)],
        expected: [expected],
      };
    }),
  ),
  check(inputGradBatch, () =>
    CHUNKED.filter(({ half = true }) => half).flatMap((one) => {
      const { name, half: _, ...params } = one;
      const { M, C, chunk } = params;
      const all = given(one);
      const { x, dy, mean, variance, gamma } = all;
      const rstd = Array.from(variance, (value) => 1 / Math.sqrt(value + EPS));
      const scale = rstd.map((value, c) => value * gamma[c]!);
      const partial = headed([mean, rstd, scale, randomValues(C)], partialGradients(all, M, C, chunk));
      const { dx, dgamma, dbeta } = batchNormGradReference(all, dy);
      return fused({
        ...{ name, params, reads: [x, dy, partial] },
        writes: [new Float32Array(M * C), new Float32Array(C), new Float32Array(C)],
        expected: [dx, dgamma, dbeta],
      });
    }),
  ),
];
