import {
  add,
  argmax,
  assign,
  backward,
  type Compiled,
  compile,
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
import { Adam, AdamW, type Optimizer, SGD } from "@shadegrad/tensor/optim";
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
  /**
   * Whether a step is recorded once and then repeated (see `compile`), rather than run op by op: true unless
   * the optimizer is one's own, of which nobody knows what it decides anew at each step.
   */
  readonly compile?: boolean | undefined;
}

type Step = (images: Tensor, labels: Tensor) => void;

/** Steps of training, with losses and right answers summed on the GPU, so that reading them is not a matter of every step. */
export class Steps {
  readonly #device: Device;
  readonly #loss: Tensor;
  readonly #correct: Tensor;
  readonly #step: Step;
  readonly #compiled: Compiled<[Tensor, Tensor], void> | undefined;
  #images = 0;

  constructor(device: Device, options: StepOptions) {
    const { model, optimizer, labelSmoothing } = options;
    this.#device = device;
    this.#loss = keep(zeros([], { device }));
    this.#correct = keep(zeros([], { device }));
    this.#step = (images, labels) => {
      const logits = model.forward(images);
      const loss = crossEntropy(logits, labels, { labelSmoothing });
      noGrad(() => {
        assign(this.#loss, add(this.#loss, mul(loss, labels.size)));
        assign(this.#correct, add(this.#correct, sum(equal(argmax(logits, 1), labels))));
      });
      backward(loss);
      optimizer.step();
      optimizer.zeroGrad();
    };
    const known = [SGD, Adam, AdamW].some((kind) => optimizer.constructor === kind);
    if (options.compile ?? known) this.#compiled = compile(this.#step);
  }

  /** Move the weights along the gradient of one batch: everything is launched, nothing waited for but, once, the preparation. */
  async step({ images, shape, labels }: Batch): Promise<void> {
    const device = this.#device;
    using x = tensor(images, shape, { device });
    using truth = tensor(labels, [shape[0]], { device });
    if (this.#compiled) await this.#compiled(x, truth);
    else scope(() => this.#step(x, truth));
    this.#images += shape[0];
  }

  /** The sums since the last time, once all steps so far are done; they begin anew. */
  async read(): Promise<{ loss: number; correct: number; images: number }> {
    const images = this.#images;
    this.#images = 0;
    const sums = [this.#loss, this.#correct];
    const reading = Promise.all(sums.map((x) => x.item()));
    for (const x of sums) assign(x, [0]);
    const [loss, correct] = (await reading) as [number, number];
    return { loss, correct, images };
  }

  dispose(): void {
    this.#compiled?.dispose();
    this.#loss.dispose();
    this.#correct.dispose();
  }
}
