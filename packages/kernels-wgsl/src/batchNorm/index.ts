import { type Kernel, type ParamValues, spread, type Variant, type Variants } from "../launch/kernel.ts";
import finishGradientsSource from "./finishGradients.wgsl?raw";
import finishGradientsTree from "./finishGradientsTree.wgsl?raw";
import finishMomentsSource from "./finishMoments.wgsl?raw";
import finishMomentsTree from "./finishMomentsTree.wgsl?raw";
import inputGradSource from "./inputGrad.wgsl?raw";
import momentsSource from "./moments.wgsl?raw";
import normalizeSource from "./normalize.wgsl?raw";
import sumGradientsSource from "./sumGradients.wgsl?raw";

export {
  inputGradBatch,
  normalizeBatch,
  type TiledParams,
  tiledParams,
  tileGradients,
  tileMoments,
} from "./tiles.ts";

/*
 * Batch norm in training, in two ways. A GPU runs `tiles.ts`: two launches forward and two backward, in tiles of 16
 * channels, whose second launch finishes the sums of the first by itself. Elsewhere the kernels of this file run, three
 * launches each: sums over chunks of rows, one pass over the chunks, and the result.
 *
 *   variant            what it adds
 *   channels, tiles    one channel for each invocation: any number of channels
 *   channels4, tiles4  vec4 loads, where 4 divides C
 *   channels4 rows64   64 rows for each invocation in place of 16, for software adapters, which pay for each workgroup. On
 *                      an H200 forward and backward take 1.3 to 1.8 times as long with it, from 112² · 64 to 7² · 2048
 *   serial, tree       one pass over the chunks: a walk, or with a GPU's barriers a tree
 *
 * The other variants have not been timed against each other on a GPU.
 */

/** Rows M = N·H·W, in `splits` chunks of `chunk`, and channels C. */
export type BatchNormParams = Record<"M" | "C" | "splits" | "chunk", number>;

const LONGEST = 4096; // rows that one invocation adds up in sequence, for rounding's sake

/**
 * Division of the sums over `rows`: so that a GPU has enough to do, or, in software, that little
 * is left to do for the second pass.
 */
export function batchNormParams(rows: number, channels: number, software = false): BatchNormParams {
  const most = software ? Math.min(32, 4096 / channels) : Math.min(1024, 131_072 / channels);
  const busy = Math.ceil(Math.min(most, rows / 16));
  const chunk = Math.min(LONGEST, Math.ceil(rows / Math.max(1, busy))) || 1;
  return { M: rows, C: channels, splits: Math.ceil(rows / chunk), chunk };
}

const THREADS = 64;
const FOUR = { WIDTH: 4, Vec: "vec4f", StoredVec: "vec4<Elem>" };
const isByFour = ({ C }: { C: number }) => C % 4 === 0;

/** An invocation walks down one chunk, four channels at a time, or one where they cannot be divided by four. */
function byChunk<P extends ParamValues & { C: number; splits: number }>(source: string): Variants<P> {
  const workgroups = (width: number) => (p: P) => spread(Math.ceil((p.splits * p.C) / width / THREADS));
  const channels4 = { name: "channels4", source, holes: FOUR, fits: isByFour, workgroups: workgroups(4) };
  return {
    plain: { name: "channels", source, workgroups: workgroups(1) },
    gpu: [channels4],
    rasteriser: [channels4],
  };
}

/** One pass over the partial sums of each channel: a tree of barriers, or, where those are dear, a walk. */
const finishing = <P extends ParamValues & { C: number }>(serial: string, tree: string): Variants<P> => ({
  plain: { name: "serial", source: serial, workgroups: ({ C }) => [Math.ceil(C / THREADS), 1, 1] },
  gpu: [{ name: "tree", source: tree, workgroups: ({ C }) => spread(C) }],
});

/** An invocation walks down DEPTH rows, as `byChunk`; the kernel has an epilogue. */
function byRows<P extends ParamValues & { M: number; C: number }>(source: string): Variants<P> {
  const holes = { ...FOUR, Bits: "vec4u", StoredVec0: "vec4<E0>", StoredVec1: "vec4<E1>" };
  const workgroups =
    (width: number): Variant<P>["workgroups"] =>
    ({ M, C }, { DEPTH = 16 }) =>
      spread(Math.ceil((Math.ceil(M / Number(DEPTH)) * C) / width / THREADS));
  const channels4 = { name: "channels4", source, holes, fits: isByFour, workgroups: workgroups(4) };
  const rows64 = { ...channels4, name: "channels4 rows64", holes: { ...holes, DEPTH: 64 } };
  return {
    plain: { name: "channels", source, workgroups: workgroups(1) },
    gpu: [channels4, rows64],
    // A workgroup costs a software rasteriser as much as a thousand elements.
    rasteriser: [rows64, channels4],
  };
}

const CHUNKS = { M: "u32", C: "u32", splits: "u32", chunk: "u32" } as const;

/** Mean beyond the first row, and sum of squares of what is left without it, of each chunk of rows. */
export const moments: Kernel<BatchNormParams> = {
  name: "moments",
  reads: ["x"],
  writes: ["partial"],
  types: { partial: "f32" },
  params: CHUNKS,
  variants: byChunk(momentsSource),
  cost: ({ M, C }) => ({ flops: 3 * M * C, bytes: 4 * M * C }),
};

/**
 * Mean and variance of the batch from those of chunks; the running ones follow them.
 *
 * Holes: `TRACK`, whether there are running statistics.
 */
export const finishMoments: Kernel<BatchNormParams & { momentum: number }> = {
  name: "finishMoments",
  reads: ["partial", "x"],
  writes: ["mean", "variance", "runningMean", "runningVar", "batches"],
  types: {
    partial: "f32",
    mean: "f32",
    variance: "f32",
    runningMean: "f32",
    runningVar: "f32",
    batches: "i32",
  },
  params: { ...CHUNKS, momentum: "f32" },
  variants: finishing(finishMomentsSource, finishMomentsTree),
};

/**
 * y = (x − mean) · gamma / √(variance + eps) + beta.
 *
 * Holes: `Elem`; it may have an epilogue.
 */
export const normalize: Kernel<Record<"M" | "C" | "eps", number>> = {
  name: "normalize",
  reads: ["x", "mean", "variance", "gamma", "beta", "e0", "e1"],
  writes: ["y"],
  types: { mean: "f32", variance: "f32", gamma: "f32", beta: "f32", e0: ["E0", "f32"], e1: ["E1", "f32"] },
  params: { M: "u32", C: "u32", eps: "f32" },
  variants: byRows(normalizeSource),
  epilogue: ({ C }) => C,
  cost: ({ M, C }) => ({ flops: 3 * M * C, bytes: 8 * M * C }),
};

/**
 * Sums of dy · x̂ and of dy over each chunk of rows.
 */
export const sumGradients: Kernel<BatchNormParams & { eps: number }> = {
  name: "sumGradients",
  reads: ["x", "dy", "mean", "variance"],
  writes: ["partial"],
  types: { mean: "f32", variance: "f32", partial: "f32" },
  params: { ...CHUNKS, eps: "f32" },
  variants: byChunk(sumGradientsSource),
  cost: ({ M, C }) => ({ flops: 5 * M * C, bytes: 8 * M * C }),
};

/** dgamma and dbeta from the sums over chunks, and what `inputGrad` needs to know of each channel. */
export const finishGradients: Kernel<Record<"M" | "C" | "splits" | "eps", number>> = {
  name: "finishGradients",
  reads: ["partial", "mean", "variance", "gamma"],
  writes: ["dgamma", "dbeta", "vectors"],
  types: {
    partial: "f32",
    mean: "f32",
    variance: "f32",
    gamma: "f32",
    dgamma: "f32",
    dbeta: "f32",
    vectors: "f32",
  },
  params: { M: "u32", C: "u32", splits: "u32", eps: "f32" },
  variants: finishing(finishGradientsSource, finishGradientsTree),
};

/**
 * dx, where mean and variance are x's own, from dy and the vectors of `finishGradients`.
 *
 * Holes: `Elem`; it may have an epilogue.
 */
export const inputGrad: Kernel<Record<"M" | "C", number>> = {
  name: "batchNormInputGrad",
  reads: ["x", "dy", "vectors", "e0", "e1"],
  writes: ["dx"],
  types: { vectors: "f32", e0: ["E0", "f32"], e1: ["E1", "f32"] },
  params: { M: "u32", C: "u32" },
  variants: byRows(inputGradSource),
  epilogue: ({ C }) => C,
  cost: ({ M, C }) => ({ flops: 6 * M * C, bytes: 12 * M * C }),
};

/** Mean and variance of each channel, in float64, in two passes. */
export function momentsReference(x: ArrayLike<number>, M: number, C: number) {
  const mean = new Float64Array(C);
  const variance = new Float64Array(C);
  for (let i = 0; i < M * C; i++) mean[i % C]! += x[i]! / M;
  for (let i = 0; i < M * C; i++) variance[i % C]! += (x[i]! - mean[i % C]!) ** 2 / M;
  return { mean, variance };
}

interface Normal {
  readonly x: ArrayLike<number>;
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
  readonly gamma: ArrayLike<number>;
  readonly beta: ArrayLike<number>;
  readonly eps: number;
}

/** The definition, in float64. */
export function normalizeReference({ x, mean, variance, gamma, beta, eps }: Normal): Float64Array {
  const C = mean.length;
  return Float64Array.from(
    { length: x.length },
    (_, i) => ((x[i]! - mean[i % C]!) / Math.sqrt(variance[i % C]! + eps)) * gamma[i % C]! + beta[i % C]!,
  );
}

/** The gradients' formulas where the statistics are x's own, in float64. */
export function batchNormGradReference({ x, mean, variance, gamma, eps }: Normal, dy: ArrayLike<number>) {
  const C = mean.length;
  const M = x.length / C;
  const rstd = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + eps));
  const normal = (i: number) => (x[i]! - mean[i % C]!) * rstd[i % C]!;
  const dgamma = new Float64Array(C);
  const dbeta = new Float64Array(C);
  for (let i = 0; i < x.length; i++) {
    dgamma[i % C]! += dy[i]! * normal(i);
    dbeta[i % C]! += dy[i]!;
  }
  const dx = Float64Array.from({ length: x.length }, (_, i) => {
    const own = (dbeta[i % C]! + normal(i) * dgamma[i % C]!) / M;
    return (dy[i]! - own) * gamma[i % C]! * rstd[i % C]!;
  });
  return { dx, dgamma, dbeta };
}
