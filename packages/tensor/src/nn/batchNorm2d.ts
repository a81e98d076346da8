import { makeAdjacent } from "../core/adjacent.ts";
import { full, ones, zeros } from "../core/create.ts";
import { choice } from "../core/recorder.ts";
import { isSecondPass } from "../core/replayed-draws.ts";
import { keep } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkAmount, checkOptions, checkShare } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import { batchNorm } from "../ops/batchNorm.ts";
import { watchMode } from "./mode.ts";
import { type Layer, parameter } from "./module.ts";
import { checkCounts, type LayerOptions } from "./options.ts";

export interface BatchNorm2dOptions extends Pick<LayerOptions, "device"> {
  /** Added to the variance, against division by 0. */
  eps?: number | undefined;
  /** Share by which the running statistics move towards a batch's, from 0 to 1. */
  momentum?: number | undefined;
  /** Initial gamma: 0 silences the end of a residual branch. */
  initialGamma?: number | undefined;
  /** True if gamma is learned; otherwise it stays as it begins. */
  learnGamma?: boolean | undefined;
}

/**
 * Each channel gets mean 0 and deviation 1, over the batch in training and by running statistics in
 * evaluation; then it is scaled and shifted (Ioffe & Szegedy 2015):
 *
 * y = γ · (x − μ) / √(σ² + ε) + β, for each channel c with μ[c] and σ²[c] over N, H and W. Running statistics move by
 * running ← (1 − momentum) · running + momentum · batch, the variance divided by N·H·W − 1.
 *
 * `[N, H, W, channels]`, or any `[…, channels]` → the same
 */
export class BatchNorm2d implements Layer {
  training = true;
  /** `[channels]`, as are the next three. */
  weight: Tensor;
  bias: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  /** `[]`, i32: how many batches the running statistics have seen. */
  readonly numBatchesTracked: Tensor;
  /** Added to the variance; a checkpoint may bring its own. */
  eps: number;
  readonly momentum: number;

  /** @throws RangeError if `channels` is not ≥ 1, or an option makes no sense. */
  constructor(channels: number, options: BatchNorm2dOptions = {}) {
    checkOptions("BatchNorm2d", options, ["eps", "momentum", "initialGamma", "learnGamma", "device"]);
    const {
      eps = 1e-5,
      momentum = 0.1,
      initialGamma = 1,
      learnGamma = true,
      device = defaultDevice(),
    } = options;
    checkCounts("BatchNorm2d", { channels });
    checkShare("BatchNorm2d", "momentum", momentum);
    checkAmount("BatchNorm2d", "eps", eps);
    watchMode(this);
    this.eps = eps;
    this.momentum = momentum;
    const gamma = full([channels], initialGamma, { device });
    this.weight = learnGamma ? parameter(gamma) : keep(gamma);
    this.bias = parameter(zeros([channels], { device }));
    this.runningMean = keep(zeros([channels], { device }));
    this.runningVar = keep(ones([channels], { device }));
    this.numBatchesTracked = keep(zeros([], { device, dtype: "i32" }));
    // One launch writes all three.
    makeAdjacent([this.runningMean, this.runningVar, this.numBatchesTracked]);
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, numBatchesTracked, momentum } = this;
    const training = this.training;
    const eps = choice(() => this.eps);
    // A pass that is repeated for its gradient has moved the statistics already.
    if (training && isSecondPass()) return batchNorm(x, weight, bias, { training, eps });
    return batchNorm(x, weight, bias, {
      runningMean,
      runningVar,
      numBatchesTracked,
      training,
      momentum,
      eps,
    });
  }
}
