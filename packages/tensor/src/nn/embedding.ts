import type { Tensor } from "../core/tensor.ts";
import { checkOptions } from "../errors.ts";
import { gather } from "../ops/gather.ts";
import { normal as randomNormal } from "../ops/random.ts";
import { type Layer, parameter } from "./module.ts";
import { checkCounts, type LayerOptions } from "./options.ts";

/**
 * A table of vectors, looked up by number. They begin as PyTorch's do: normal, of deviation 1.
 *
 * `[…]`, i32 or u32 → `[…, size]`; NaN for a number that the table has not
 *
 * @throws RangeError if a count is not ≥ 1.
 */
export class Embedding implements Layer {
  /** `[count, size]` */
  weight: Tensor;

  constructor(count: number, size: number, options: LayerOptions = {}) {
    checkOptions("Embedding", options, ["device", "generator"]);
    checkCounts("Embedding", { count, size });
    const { device, generator } = options;
    this.weight = parameter(randomNormal([count, size], 0, 1, { ...(device && { device }), generator }));
  }

  forward(x: Tensor): Tensor {
    return gather(this.weight, x);
  }
}
