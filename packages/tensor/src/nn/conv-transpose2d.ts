import type { Tensor } from "../core/tensor.ts";
import { checkOptions } from "../errors.ts";
import { convTranspose2d } from "../ops/conv-transpose2d.ts";
import { type Padding, type Pair, pair, sides } from "../ops/window.ts";
import { fromFanIn } from "./init.ts";
import type { Layer } from "./module.ts";
import { checkCounts, type LayerOptions } from "./options.ts";
import type { TorchLayout } from "./state.ts";

export interface ConvTranspose2dOptions extends LayerOptions {
  /** Pixels between neighbouring windows of the output. */
  stride?: Pair | undefined;
  /** Pixels that are cut off the output's edges. */
  padding?: Padding | undefined;
  /** Pixels added below and on the right, fewer than the stride. */
  outputPadding?: Pair | undefined;
  /** Pixels between neighbouring taps of the window. */
  dilation?: Pair | undefined;
  groups?: number | undefined;
  bias?: boolean | undefined;
}

/**
 * The transpose of `Conv2d`: each pixel adds a window of weights to a larger image. Weights begin as PyTorch's do.
 *
 * `[N, P, Q, inChannels]` → `[N, H, W, outChannels]`, with H and W as `convTranspose2d` has them.
 */
export class ConvTranspose2d implements Layer, TorchLayout {
  /** `[R, S, outChannels / groups, inChannels]` */
  weight: Tensor;
  /** `[outChannels]` */
  bias: Tensor | undefined;
  readonly stride: Pair;
  readonly padding: Padding;
  readonly outputPadding: Pair;
  readonly dilation: Pair;
  readonly groups: number;

  /** @throws RangeError if a size makes no sense, or the channels do not divide into the groups. */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: ConvTranspose2dOptions = {},
  ) {
    checkOptions("ConvTranspose2d", options, [
      ...["stride", "padding", "outputPadding", "dilation", "groups", "bias", "device", "generator"],
    ]);
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1, bias = true } = options;
    const fail = (what: string) => new RangeError(`ConvTranspose2d: ${what}.`);
    checkCounts("ConvTranspose2d", { inChannels, outChannels, groups });
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      throw fail(`${inChannels} channels in and ${outChannels} out do not divide into ${groups} groups`);
    const [rows, columns] = pair("kernelSize", kernelSize, 1, fail);
    const [down, across] = pair("dilation", dilation, 1, fail);
    const spans = [down * (rows - 1) + 1, across * (columns - 1) + 1] as const;
    const strides = pair("stride", stride, 1, fail);
    sides(padding, spans, strides, fail);
    const more = pair("outputPadding", outputPadding, 0, fail);
    if (more.some((side, i) => side >= strides[i]!))
      throw fail(`outputPadding is [${more}] but the stride only [${strides}]`);
    this.stride = stride;
    this.padding = padding;
    this.outputPadding = outputPadding;
    this.dilation = dilation;
    this.groups = groups;
    // PyTorch's fan-in is that of the second axis of its weights, which are the output's channels.
    const fanIn = (rows * columns * outChannels) / groups;
    this.weight = fromFanIn([rows, columns, outChannels / groups, inChannels], fanIn, options);
    this.bias = bias ? fromFanIn([outChannels], fanIn, options) : undefined;
  }

  get torchAxes() {
    return { weight: [3, 2, 0, 1] };
  }

  forward(x: Tensor): Tensor {
    const { stride, padding, outputPadding, dilation, groups, bias } = this;
    return convTranspose2d(x, this.weight, { stride, padding, outputPadding, dilation, groups, bias });
  }
}
