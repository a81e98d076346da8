import type { Tensor } from "../core/tensor.ts";
import { checkOptions } from "../errors.ts";
import { linear } from "../ops/matmul.ts";
import { fromFanIn } from "./init.ts";
import type { Layer } from "./module.ts";
import { checkCounts, type LayerOptions } from "./options.ts";
import type { TorchLayout } from "./state.ts";

export interface LinearOptions extends LayerOptions {
  bias?: boolean | undefined;
}

/**
 * x · weight + bias. Weights begin as PyTorch's do.
 *
 * `[…, inFeatures]` → `[…, outFeatures]`
 */
export class Linear implements Layer, TorchLayout {
  /** `[inFeatures, outFeatures]` */
  weight: Tensor;
  /** `[outFeatures]` */
  bias: Tensor | undefined;

  /** @throws RangeError if a number of features is not ≥ 1. */
  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    checkOptions("Linear", options, ["bias", "device", "generator"]);
    checkCounts("Linear", { inFeatures, outFeatures });
    const { bias = true } = options;
    this.weight = fromFanIn([inFeatures, outFeatures], inFeatures, options);
    this.bias = bias ? fromFanIn([outFeatures], inFeatures, options) : undefined;
  }

  get torchAxes() {
    return { weight: [1, 0] };
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
