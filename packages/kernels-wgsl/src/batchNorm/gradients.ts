import type { Kernel } from "../launch/kernel.ts";
import { type BatchNormParams, byChunk, byRows, CHUNKS, finishing } from "./chunks.ts";
import finishGradientsSource from "./finishGradients.wgsl?raw";
import finishGradientsTree from "./finishGradientsTree.wgsl?raw";
import inputGradSource from "./inputGrad.wgsl?raw";
import sumGradientsSource from "./sumGradients.wgsl?raw";

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
