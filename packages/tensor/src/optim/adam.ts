import { adam, adamParams } from "@shadegrad/kernels-wgsl/adam";
import { run } from "../core/run.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkAmount, checkNumbers, checkOption } from "../errors.ts";
import { factorOf, Optimizer } from "./optimizer.ts";
import type { ParameterGroup, Parameters } from "./parameters.ts";
import type { Slot } from "./stretches.ts";

export interface AdamOptions {
  lr?: number;
  /** Decay of the running means of g and g² per step. */
  betas?: readonly [number, number];
  /** Added to the root of the mean square, against division by 0. */
  eps?: number;
  weightDecay?: number;
}

const DEFAULTS = { lr: 1e-3, betas: [0.9, 0.999] as const, eps: 1e-8, weightDecay: 0 };
const MEMORY = () => ["m", "v"];

/** Adam, https://arxiv.org/abs/1412.6980, where weight decay is an L2 term in the gradient; PyTorch's. */
export class Adam extends Optimizer<Required<AdamOptions>> {
  constructor(params: Parameters | Iterable<ParameterGroup<AdamOptions>>, options: AdamOptions = {}) {
    super("Adam", params, DEFAULTS, options, MEMORY, (filled) => checkOptions("Adam", filled));
  }

  protected override update(...step: UpdateArguments): void {
    move(step, false);
  }
}

/** Adam whose weight decay goes straight to the weights, https://arxiv.org/abs/1711.05101; 0.01 unless given. */
export class AdamW extends Optimizer<Required<AdamOptions>> {
  constructor(params: Parameters | Iterable<ParameterGroup<AdamOptions>>, options: AdamOptions = {}) {
    const defaults = { ...DEFAULTS, weightDecay: 0.01 };
    super("AdamW", params, defaults, options, MEMORY, (filled) => checkOptions("AdamW", filled));
  }

  protected override update(...step: UpdateArguments): void {
    move(step, true);
  }
}

type UpdateArguments = [slot: Slot, dw: Tensor, options: Required<AdamOptions>, unscale: Tensor | undefined];

function move([slot, dw, options, unscale]: UpdateArguments, decoupled: boolean): void {
  const { w, state } = slot;
  const params = () => adamParams(w.size, slot.steps, { ...options, decoupled });
  const writes = { w, m: state.m!, v: state.v! };
  run(adam, params, [dw, unscale ?? dw], writes, { holes: factorOf(unscale) });
}

function checkOptions(kind: string, options: Required<AdamOptions>): void {
  const { betas, ...others } = options;
  for (const [name, value] of Object.entries(others)) checkAmount(kind, name, value);
  checkNumbers(kind, Object.fromEntries(Array.from(betas, (beta, i) => [`betas[${i}]`, beta])));
  checkOption(
    kind,
    "betas",
    `[${betas}]`,
    betas.length === 2 && betas.every((b) => b >= 0 && b < 1),
    "two numbers in [0, 1)",
  );
}
