import {
  add,
  argmax,
  backward,
  crossEntropy,
  type Device,
  equal,
  keep,
  mul,
  noGrad,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "@shadegrad/tensor";
import type { Layer } from "@shadegrad/tensor/nn";
import type { Optimizer } from "@shadegrad/tensor/optim";
import type { Batch } from "../data/index.ts";

/** What training asks of an optimizer: SGD, Adam or one's own. */
export type AnyOptimizer = Pick<
  Optimizer<{ lr: number }>,
  "lr" | "step" | "zeroGrad" | "stateDict" | "loadStateDict"
>;

export interface StepOptions {
  readonly model: Layer & object;
  readonly optimizer: AnyOptimizer;
  readonly labelSmoothing: number;
}

/** Losses and right answers, summed on the GPU, so that reading them is not a matter of every step. */
export class StepSums {
  #loss: Tensor;
  #correct: Tensor;
  readonly #device: Device;
  #images = 0;

  constructor(device: Device) {
    this.#device = device;
    this.#loss = keep(zeros([], { device }));
    this.#correct = keep(zeros([], { device }));
  }

  /** Move the weights along the gradient of one batch: everything is launched, nothing waited for. */
  step({ images, shape, labels }: Batch, { model, optimizer, labelSmoothing }: StepOptions): void {
    const device = this.#device;
    const [loss, correct] = scope(() => {
      const truth = tensor(labels, [shape[0]], { device });
      const logits = model.forward(tensor(images, shape, { device }));
      const loss = crossEntropy(logits, truth, { labelSmoothing });
      const sums = noGrad(() => [
        add(this.#loss, mul(loss, shape[0])),
        add(this.#correct, sum(equal(argmax(logits, 1), truth))),
      ]);
      backward(loss);
      optimizer.step();
      optimizer.zeroGrad();
      return sums;
    }) as [Tensor, Tensor];
    this.dispose();
    this.#loss = keep(loss);
    this.#correct = keep(correct);
    this.#images += shape[0];
  }

  /** The sums since the last time, once all steps so far are done; they begin anew. */
  async read(): Promise<{ loss: number; correct: number; images: number }> {
    const images = this.#images;
    const sums = [this.#loss, this.#correct] as const;
    this.#loss = keep(zeros([], { device: this.#device }));
    this.#correct = keep(zeros([], { device: this.#device }));
    this.#images = 0;
    const [loss, correct] = (await Promise.all(sums.map((x) => x.item()))) as [number, number];
    for (const x of sums) x.dispose();
    return { loss, correct, images };
  }

  dispose(): void {
    this.#loss.dispose();
    this.#correct.dispose();
  }
}
