import { momentum as momentumKernel, sgd } from "@shadegrad/kernels-wgsl/sgd";
import { run } from "../core/run.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkAmount, checkOption } from "../errors.ts";
import { factorOf, Optimizer } from "./optimizer.ts";
import type { ParameterGroup, Parameters } from "./parameters.ts";
import type { Slot } from "./stretches.ts";

export interface SGDOptions {
  lr: number;
  /** Share of its last step that each parameter repeats: 0 for none, 0.9 as a rule. */
  momentum?: number;
  /** Pulls weights to 0: this times the weight is added to the gradient. */
  weightDecay?: number;
  /** Look ahead along the momentum. */
  nesterov?: boolean;
}

/** Stochastic gradient descent: g = dw + weightDecay·w, m = momentum·m + g, w −= lr·m; PyTorch's. */
export class SGD extends Optimizer<Required<SGDOptions>> {
  constructor(params: Parameters | Iterable<ParameterGroup<SGDOptions>>, options: SGDOptions) {
    const defaults = { momentum: 0, weightDecay: 0, nesterov: false };
    super(
      "SGD",
      params,
      defaults,
      options,
      ({ momentum }) => (momentum > 0 ? ["momentum"] : []),
      checkOptions,
    );
  }

  protected override update(
    { w, state }: Slot,
    dw: Tensor,
    options: Required<SGDOptions>,
    unscale: Tensor | undefined,
  ): void {
    const { nesterov: NESTEROV } = options;
    const params = () => {
      const { lr, momentum, weightDecay } = options;
      return { length: w.size, lr, momentum, weightDecay };
    };
    const m = state.momentum;
    const reads = [dw, unscale ?? dw];
    if (m) run(momentumKernel, params, reads, { w, m }, { holes: { NESTEROV, ...factorOf(unscale) } });
    else run(sgd, params, reads, { w }, { holes: factorOf(unscale) });
  }
}

function checkOptions(options: Required<SGDOptions>): void {
  const { lr, momentum, weightDecay, nesterov } = options;
  for (const [name, value] of Object.entries({ lr, momentum, weightDecay })) checkAmount("SGD", name, value);
  checkOption("SGD", "momentum", momentum, !nesterov || momentum > 0, "above 0, which nesterov needs");
}
