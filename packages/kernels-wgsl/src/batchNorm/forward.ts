import type { Kernel } from "../launch/kernel.ts";
import { type BatchNormParams, byChunk, byRows, CHUNKS, finishing } from "./chunks.ts";
import finishMomentsSource from "./finishMoments.wgsl?raw";
import finishMomentsTree from "./finishMomentsTree.wgsl?raw";
import momentsSource from "./moments.wgsl?raw";
import normalizeSource from "./normalize.wgsl?raw";

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
