import { rmsprop } from "@shadegrad/kernels-wgsl/rmsprop";
import { run } from "../core/run.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkAmount, checkShare } from "../errors.ts";
import { factorOf, Optimizer } from "./optimizer.ts";
import type { ParameterGroup, Parameters } from "./parameters.ts";
import type { Slot } from "./stretches.ts";

export interface RMSpropOptions {
  /** 0.01 if absent. */
  lr?: number;
  /** Share of the running mean of g² that stays from step to step; 0.99 if absent. */
  alpha?: number;
  /** Added to its root, against division by 0; 1e-8 if absent. */
  eps?: number;
  /** Share of its last step that each parameter repeats; 0 if absent. */
  momentum?: number;
  /** An L2 term in the gradient; 0 if absent. */
  weightDecay?: number;
}

const DEFAULTS = { lr: 0.01, alpha: 0.99, eps: 1e-8, momentum: 0, weightDecay: 0 };
const MEMORY = () => ["m", "v"];

/**
 * RMSprop: v = alpha·v + (1 − alpha)·g², m = momentum·m + g / (√v + eps), w −= lr·m; PyTorch's, not centred. Tieleman &
 * Hinton, "Lecture 6.5", 2012.
 */
export class RMSprop extends Optimizer<Required<RMSpropOptions>> {
  constructor(params: Parameters | Iterable<ParameterGroup<RMSpropOptions>>, options: RMSpropOptions = {}) {
    super("RMSprop", params, DEFAULTS, options, MEMORY, checkOptions);
  }

  protected override update(
    { w, state }: Slot,
    dw: Tensor,
    options: Required<RMSpropOptions>,
    unscale: Tensor | undefined,
  ): void {
    const params = () => {
      const { lr, alpha, eps, momentum, weightDecay: l2 } = options;
      return { length: w.size, lr, alpha, rest: 1 - alpha, eps, momentum, l2 };
    };
    run(rmsprop, params, [dw, unscale ?? dw], { w, m: state.m!, v: state.v! }, { holes: factorOf(unscale) });
  }
}

function checkOptions(options: Required<RMSpropOptions>): void {
  const { alpha, ...others } = options;
  checkShare("RMSprop", "alpha", alpha);
  for (const [name, value] of Object.entries(others)) checkAmount("RMSprop", name, value);
}
