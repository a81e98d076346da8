import type { Tensor } from "../core/tensor.ts";
import { checkOptions, checkShare } from "../errors.ts";
import { relu } from "../ops/activation.ts";
import {
  AVG_POOL_OPTIONS,
  type AvgPool2dOptions,
  avgPool2d,
  globalAvgPool2d,
  MAX_POOL_OPTIONS,
  type MaxPool2dOptions,
  maxPool2d,
  type Pool2dOptions,
} from "../ops/pool.ts";
import { dropout, type Generator } from "../ops/random.ts";
import { flatten } from "../ops/shape.ts";
import { type Pair, pair, sides } from "../ops/window.ts";
import { watchMode } from "./mode.ts";
import type { Layer } from "./module.ts";

/** max(x, 0). `[…]` → `[…]` */
export class ReLU implements Layer {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** Returns its input. `[…]` → `[…]` */
export class Identity implements Layer {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * All axes but the first become one. `[N, …]` → `[N, product of the others]`
 *
 * The channels of a pixel stay together, where PyTorch keeps the pixels of a channel together: a
 * linear layer behind it has its rows in another order than PyTorch's.
 */
export class Flatten implements Layer {
  forward(x: Tensor): Tensor {
    return flatten(x);
  }
}

/** The mean of each channel over the image. `[N, H, W, C]` → `[N, C]` */
export class GlobalAvgPool2d implements Layer {
  forward(x: Tensor): Tensor {
    return globalAvgPool2d(x);
  }
}

/**
 * In training, each element is 0 with probability `p` and scaled by 1 / (1 − p) otherwise; in
 * evaluation, nothing happens. `[…]` → `[…]`
 */
export class Dropout implements Layer {
  training = true;
  readonly p: number;
  readonly #generator: Generator | undefined;

  /** @throws RangeError if `p` is no probability. */
  constructor(p = 0.5, options: { generator?: Generator | undefined } = {}) {
    checkOptions("Dropout", options, ["generator"]);
    checkShare("Dropout", "p", p);
    watchMode(this);
    this.p = p;
    this.#generator = options.generator;
  }

  forward(x: Tensor): Tensor {
    return dropout(x, this.p, { training: this.training, generator: this.#generator });
  }
}

/** The largest element of each window. `[N, H, W, C]` → `[N, P, Q, C]`, with P and Q as `maxPool2d` has them. */
export class MaxPool2d implements Layer {
  readonly options: MaxPool2dOptions;

  /** @throws RangeError if a size makes no sense. */
  constructor(kernelSize: Pair, options: Omit<MaxPool2dOptions, "kernel"> = {}) {
    checkWindow("MaxPool2d", kernelSize, options, MAX_POOL_OPTIONS);
    this.options = { ...options, kernel: kernelSize };
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.options);
  }
}

/** The mean of each window. `[N, H, W, C]` → `[N, P, Q, C]`, with P and Q as `avgPool2d` has them. */
export class AvgPool2d implements Layer {
  readonly options: AvgPool2dOptions;

  /** @throws RangeError if a size makes no sense. */
  constructor(kernelSize: Pair, options: Omit<AvgPool2dOptions, "kernel"> = {}) {
    checkWindow("AvgPool2d", kernelSize, options, AVG_POOL_OPTIONS);
    this.options = { ...options, kernel: kernelSize };
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.options);
  }
}

function checkWindow(
  layer: string,
  kernelSize: Pair,
  options: Omit<Pool2dOptions, "kernel">,
  known: readonly string[],
): void {
  checkOptions(
    layer,
    options,
    known.filter((name) => name !== "kernel"),
  );
  const { stride, padding = 0 } = options;
  const fail = (what: string) => new RangeError(`${layer}: ${what}.`);
  const window = pair("kernelSize", kernelSize, 1, fail);
  sides(padding, window, pair("stride", stride ?? kernelSize, 1, fail), fail);
}
