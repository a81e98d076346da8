/*
 * Convolution as a matrix product whose left operand is never stored, implicit GEMM (Chetlur et al. 2014, section 3.1).
 *
 * The ladder of conv2d, the same for each direction. Times are µs of a forward launch in f32 on an H200 at full clock, by
 * bench/results/gpu-kernels-h200.json: A is 3×3 64→64 on 56² at 32 images, B 3×3 256→256 on 14² at 32 images,
 * C 3×3 512→512 on 7² at 1 image. The gradients have not been timed variant by variant.
 *
 *   variant          what it adds                                                                 A    B    C
 *   direct           an invocation per output: any shape, the definition's twin                   –    –    –
 *   tiled            64×64 tile in workgroup memory, scalar loads: any number of channels       295  333  426
 *   128×64×16        vec4 loads, the next slice prefetched: C and O per group in fours          225  309  385
 *   64×64×32         twice the workgroups, for fewer pixels (the input gradient: 64×64×16)      243  239  221
 *   32×64×32         twice as many again                                                        291  297  150
 *   32×64×32 split   K in up to 16 parts, and a launch that adds them: tiles that are few         –    –   23
 *   64×16×16         fewer columns, so that O ≤ 32 leaves less of a tile empty                  368  405  216
 *
 * In a compiled training step these tiles leave the moments of their rows as well (`conv2dMoments`) where a batch norm
 * follows: a launch and a pass over y less. That has not been timed.
 *
 * The weight gradient has 128×64×16, 64×64×16 and 64×16×16; its sum over pixels is split by `weightGradSplits`.
 * Software adapters run tiles in registers, by subgroup operations: `../rasteriser/conv2d`. On llvmpipe those reach 30
 * to 36 GFLOP/s where multiply-adds alone reach 50 to 57 (`../rasteriser/REJECTED.md`).
 */

export { conv2d } from "./forward.ts";
export { forwardTiles } from "./forwardTiles.ts";
export { conv2dInputGrad } from "./inputGrad.ts";
export { inputGradTiles } from "./inputGradTiles.ts";
export { chunkOf, conv2dMoments } from "./moments.ts";
export { type Conv2dParams, weights } from "./params.ts";
export { conv2dInputGradReference, conv2dReference, conv2dWeightGradReference } from "./reference.ts";
export { sumPartials } from "./sumPartials.ts";
export {
  type Conv2dWeightGradParams,
  conv2dWeightGrad,
  weightGradSplits,
} from "./weightGrad.ts";
