import type { Tensor } from "../core/tensor.ts";
import { checkOptions } from "../errors.ts";
import { checkedSize, type InterpolateOptions, interpolate } from "../ops/interpolate.ts";
import type { Layer } from "./module.ts";

/** Images of another size: see `interpolate`. `[N, H, W, C]` → `[N, P, Q, C]` */
export class Upsample implements Layer {
  readonly options: InterpolateOptions;

  /** @throws RangeError if the size makes no sense. */
  constructor(options: InterpolateOptions) {
    checkOptions("Upsample", options, ["size", "scale", "mode", "alignCorners"]);
    checkedSize(options, (what) => new RangeError(`Upsample: ${what}.`));
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }
}
