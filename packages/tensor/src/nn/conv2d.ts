import type { Tensor } from "../core/tensor.ts";
import { checkOptions } from "../errors.ts";
import { conv2d } from "../ops/conv2d.ts";
import { type Padding, type Pair, pair, sides } from "../ops/window.ts";
import { fromFanIn } from "./init.ts";
import type { Layer } from "./module.ts";
import { checkCounts, type LayerOptions } from "./options.ts";
import type { TorchLayout } from "./state.ts";

export interface Conv2dOptions extends LayerOptions {
  /** Pixels the window moves between neighbouring outputs. */
  stride?: Pair | undefined;
  /** Zeros added around the image; "same" keeps its size, at stride 1. */
  padding?: Padding | "same" | "valid" | undefined;
  /** Pixels between neighbouring taps of the window. */
  dilation?: Pair | undefined;
  /** Parts that channels are divided into; outputs see the channels of their own part. */
  groups?: number | undefined;
  bias?: boolean | undefined;
}

/**
 * A window of weights slides over the image: cross-correlation. Weights begin as PyTorch's do.
 *
 * `[N, H, W, inChannels]` → `[N, P, Q, outChannels]`, with P and Q as `conv2d` has them.
 */
export class Conv2d implements Layer, TorchLayout {
  /** `[R, S, inChannels / groups, outChannels]` */
  weight: Tensor;
  /** `[outChannels]` */
  bias: Tensor | undefined;
  readonly stride: Pair;
  readonly padding: Padding | "same" | "valid";
  readonly dilation: Pair;
  readonly groups: number;

  /** @throws RangeError if a size makes no sense, or the channels do not divide into the groups. */
  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: Conv2dOptions = {}) {
    checkOptions("Conv2d", options, [
      "stride",
      "padding",
      "dilation",
      "groups",
      "bias",
      "device",
      "generator",
    ]);
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
    const fail = (what: string) => new RangeError(`Conv2d: ${what}.`);
    checkCounts("Conv2d", { inChannels, outChannels, groups });
    const [rows, cols] = pair("kernelSize", kernelSize, 1, fail);
    const [down, across] = pair("dilation", dilation, 1, fail);
    const spans = [down * (rows - 1) + 1, across * (cols - 1) + 1] as const;
    sides(padding, spans, pair("stride", stride, 1, fail), fail);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw fail(`${inChannels} channels in and ${outChannels} out do not divide into ${groups} groups`);
    }
    this.stride = stride;
    this.padding = padding;
    this.dilation = dilation;
    this.groups = groups;
    const fanIn = (rows * cols * inChannels) / groups;
    this.weight = fromFanIn([rows, cols, inChannels / groups, outChannels], fanIn, options);
    this.bias = bias ? fromFanIn([outChannels], fanIn, options) : undefined;
  }

  get torchAxes() {
    return { weight: [3, 2, 0, 1] };
  }

  forward(x: Tensor): Tensor {
    const { stride, padding, dilation, groups, bias } = this;
    return conv2d(x, this.weight, { stride, padding, dilation, groups, bias });
  }
}
