import { ones, zeros } from "../core/create.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkAmount, checkOptions, ShapeError } from "../errors.ts";
import { groupNorm, layerNorm } from "../ops/layer-norm.ts";
import { BatchNorm2d } from "./batchNorm2d.ts";
import { type Layer, parameter } from "./module.ts";
import { checkCounts, type LayerOptions } from "./options.ts";

export interface NormOptions extends Pick<LayerOptions, "device"> {
  /** Added to the variance, against division by 0; 1e-5 if absent. */
  eps?: number | undefined;
  /** True if a factor and a summand are learned; true if absent. PyTorch's `elementwise_affine` and `affine`. */
  affine?: boolean | undefined;
}

const OPTIONS = ["eps", "affine", "device"];

/**
 * Each example gets mean 0 and deviation 1 over its last axes; then it is scaled and shifted. `[…, ...shape]` → the same
 *
 * @throws RangeError if a side is no whole number ≥ 1.
 */
export class LayerNorm implements Layer {
  /** Shape of the last axes, as are the next two. */
  readonly normalizedShape: readonly number[];
  weight: Tensor | undefined;
  bias: Tensor | undefined;
  readonly eps: number;

  constructor(shape: number | readonly number[], options: NormOptions = {}) {
    checkOptions("LayerNorm", options, OPTIONS);
    const { eps = 1e-5, affine = true, device } = options;
    checkAmount("LayerNorm", "eps", eps);
    this.normalizedShape = [shape].flat() as number[];
    for (const [axis, side] of this.normalizedShape.entries())
      checkCounts("LayerNorm", { [`side ${axis}`]: side });
    this.eps = eps;
    const made = device ? { device } : {};
    this.weight = affine ? parameter(ones(this.normalizedShape, made)) : undefined;
    this.bias = affine ? parameter(zeros(this.normalizedShape, made)) : undefined;
  }

  /** @throws ShapeError if x ends in other sides. */
  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    const last = x.shape.slice(-this.normalizedShape.length);
    if (String(last) !== String(this.normalizedShape))
      throw new ShapeError(
        `LayerNorm: x [${x.shape}] ends in [${last}], expected [${this.normalizedShape}].`,
      );
    return layerNorm(x, this.normalizedShape.length, { weight, bias, eps });
  }
}

/**
 * Each image gets mean 0 and deviation 1 over the channels of each group; then each channel is scaled and shifted.
 * `[N, …, channels]` → the same
 *
 * @throws RangeError if the channels do not divide into the groups.
 */
export class GroupNorm implements Layer {
  readonly groups: number;
  readonly channels: number;
  /** `[channels]`, as is the next. */
  weight: Tensor | undefined;
  bias: Tensor | undefined;
  readonly eps: number;

  constructor(groups: number, channels: number, options: NormOptions = {}) {
    checkOptions("GroupNorm", options, OPTIONS);
    checkCounts("GroupNorm", { groups, channels });
    if (channels % groups !== 0)
      throw new RangeError(`GroupNorm: ${channels} channels do not divide into ${groups} groups.`);
    const { eps = 1e-5, affine = true, device } = options;
    checkAmount("GroupNorm", "eps", eps);
    this.groups = groups;
    this.channels = channels;
    this.eps = eps;
    const made = device ? { device } : {};
    this.weight = affine ? parameter(ones([channels], made)) : undefined;
    this.bias = affine ? parameter(zeros([channels], made)) : undefined;
  }

  /** @throws ShapeError if x has another number of channels. */
  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    if (x.shape.at(-1) !== this.channels)
      throw new ShapeError(
        `GroupNorm: x [${x.shape}] has ${x.shape.at(-1)} channels, expected ${this.channels}.`,
      );
    return groupNorm(x, this.groups, { weight, bias, eps });
  }
}

/** `BatchNorm2d` under PyTorch's name for features and sequences. `[N, channels]` or `[N, L, channels]` → the same */
export class BatchNorm1d extends BatchNorm2d {}
