import type { BatchNormParams } from "@shadegrad/kernels-wgsl/batchNorm";
import type { Conv2dParams } from "@shadegrad/kernels-wgsl/conv2d";
import type { PoolParams } from "@shadegrad/kernels-wgsl/pool";
import type { Tensor } from "../core/tensor.ts";
import type { BatchNormOptions } from "./batch-norm-options.ts";

/** Operands of a batch norm, and the statistics that its forward pass used: x `[…, C]`, the others `[C]`. */
export interface Normalized {
  readonly x: Tensor;
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** True if they are those of the batch. */
  readonly training: boolean;
}

/** A thunk for each of x, gamma and beta. */
type Thunks = readonly (() => Tensor | undefined)[];

/**
 * Gradients that have kernels of their own, a third of all shaders. They come with `backward`, so that a page that only
 * predicts does not download them.
 */
export interface BackwardOps {
  /** dy `[N, P, Q, O]` · w → dx `[N, H, W, C]` */
  conv2dInputGrad(dy: Tensor, w: Tensor, p: Conv2dParams): Tensor;
  /** x · dy → dw, of w's shape and type */
  conv2dWeightGrad(x: Tensor, dy: Tensor, w: Tensor, p: Conv2dParams): Tensor;
  batchNormGradients(dy: Tensor, of: Normalized, p: BatchNormParams & { eps: number }): Thunks;
  /** `batchNorm` in training as a GPU computes it, forward too: without gradients the kernels of software do. */
  tiledBatchNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions): Tensor;
  /** `index`: that of `maxPoolIndex` */
  maxPool2dGrad(dy: Tensor, index: Tensor, p: PoolParams): Tensor;
  avgPool2dGrad(dy: Tensor, p: PoolParams, countPad: boolean): Tensor;
}

let installed: BackwardOps | undefined;

/** Called by the module of `backward`, before which no gradient is asked for. */
export const installBackwardOps = (ops: BackwardOps): void => {
  installed = ops;
};

export const backwardOps = (): BackwardOps => installed!;

/** True if something imports `backward`. */
export const hasBackwardOps = (): boolean => installed !== undefined;
