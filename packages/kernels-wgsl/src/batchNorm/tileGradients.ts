import type { Kernel } from "../launch/kernel.ts";
import inputGradSource from "./inputGradBatch.wgsl?raw";
import tileGradientsSource from "./tileGradients.wgsl?raw";
import { byChunk, byRows, CHUNKS, type TiledParams } from "./tiles.ts";

/** Backward, first pass: sums of dy · x̂ and of dy over each chunk of rows; what the second pass needs of each channel before. */
export const tileGradients: Kernel<TiledParams & { eps: number }> = {
  name: "tileGradients",
  reads: ["x", "dy", "statistics", "gamma"],
  writes: ["partial"],
  types: { statistics: "f32", gamma: "f32", partial: "f32" },
  params: { ...CHUNKS, eps: "f32" },
  variants: byChunk(tileGradientsSource),
  cost: ({ M, C }) => ({ flops: 5 * M * C, bytes: 8 * M * C }),
};

/**
 * Backward, second pass: dx, where mean and variance are x's own, dgamma and dbeta.
 *
 * Holes: `Elem`; it may have an epilogue.
 */
export const inputGradBatch: Kernel<Omit<TiledParams, "chunk">> = {
  name: "inputGradBatch",
  reads: ["x", "dy", "partial", "e0", "e1"],
  writes: ["dx", "dgamma", "dbeta"],
  types: { partial: "f32", e0: ["E0", "f32"], e1: ["E1", "f32"], dgamma: "f32", dbeta: "f32" },
  params: { M: "u32", C: "u32", splits: "u32" },
  variants: byRows(inputGradSource),
  epilogue: ({ C }) => C,
  cost: ({ M, C }) => ({ flops: 6 * M * C, bytes: 12 * M * C }),
};
