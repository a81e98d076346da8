/*
 * Batch norm in training, in two ways. A GPU runs `tiles.ts` and `tileGradients.ts`: two launches forward and two backward, in tiles of 16
 * channels, whose second launch finishes the sums of the first by itself. In a compiled function the first one forward is
 * left out where a convolution makes x: `conv2dMoments` leaves the moments of its tiles, for `normalizeBatch` with `BY_CHUNK`.
 * Elsewhere the kernels of `forward.ts` and `gradients.ts` run, three launches each: sums over chunks of rows, one pass over
 * the chunks, and the result.
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

export { type BatchNormParams, batchNormParams } from "./chunks.ts";
export { finishMoments, moments, normalize } from "./forward.ts";
export { finishGradients, inputGrad, sumGradients } from "./gradients.ts";
export { batchNormGradReference, momentsReference, normalizeReference } from "./reference.ts";
export { inputGradBatch, tileGradients } from "./tileGradients.ts";
export { depthFor, normalizeBatch, type TiledParams, tiledParams, tileMoments } from "./tiles.ts";
