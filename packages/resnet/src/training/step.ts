import {
  add,
  argmax,
  assign,
  autocast,
  backward,
  type Compiled,
  compile,
  crossEntropy,
  type Device,
  equal,
  keep,
  mul,
  noGrad,
  type Precision,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "@shadegrad/tensor";
import type { Layer } from "@shadegrad/tensor/nn";
import { Adam, AdamW, type Lookahead, LossScaler, type Optimizer, SGD } from "@shadegrad/tensor/optim";
import type { Batch } from "../data/index.ts";
import type { DeviceImages } from "./device-images.ts";

/** An optimizer as a training uses it: SGD, Adam or one's own. */
export type AnyOptimizer = Pick<
  Optimizer<{ lr: number }>,
  "lr" | "step" | "zeroGrad" | "stateDict" | "loadStateDict"
> & { readonly groups?: readonly { lr: number }[] };

export interface StepOptions {
  readonly model: Layer & object;
  readonly optimizer: AnyOptimizer;
  readonly labelSmoothing: number;
  /**
   * True if a step is compiled (see `compile`), false if it runs op by op. True if absent, except for an optimizer of one's
   * own, which may branch on the host at each step.
   */
  readonly compile?: boolean | undefined;
  /** Precision of products: the device's own if absent. */
  readonly precision?: Precision | undefined;
  /** Images on the GPU; a batch then holds picks in place of pixels. */
  readonly deviceImages?: DeviceImages | undefined;
}

/** All that a step changes. */
export interface Trained extends Pick<StepOptions, "model" | "optimizer"> {
  /** Present where products are computed in f16. */
  readonly scaler?: LossScaler | undefined;
  /** Slow weights, if the training has them. */
  readonly lookahead?: Lookahead | undefined;
}

type StepFunction = (images: Tensor, labels: Tensor) => void;

/** Training steps. Losses and right answers are summed on the GPU, so that not every step has to read them. */
export class Steps {
  /** With products in f16: keeps gradients from vanishing, and skips steps that overflow. */
  readonly scaler: LossScaler | undefined;
  readonly #device: Device;
  readonly #loss: Tensor;
  readonly #correct: Tensor;
  readonly #step: StepFunction;
  readonly #compiled: Compiled<[Tensor, Tensor], void> | undefined;
  #images = 0;

  constructor(device: Device, options: StepOptions) {
    const { model, optimizer, labelSmoothing, precision = device.precision, deviceImages } = options;
    const known = [SGD, Adam, AdamW].some((kind) => optimizer.constructor === kind);
    if (precision === "f16") {
      if (!known) {
        throw new RangeError(
          `train: precision f16 needs an optimizer that takes scaled gradients, SGD, Adam or AdamW, not ${optimizer.constructor.name}.`,
        );
      }
      this.scaler = new LossScaler({ device });
    }
    this.#device = device;
    this.#loss = keep(zeros([], { device }));
    this.#correct = keep(zeros([], { device }));
    const step: StepFunction = (input, labels) => {
      const logits = model.forward(deviceImages ? deviceImages.batch(input) : input);
      const loss = crossEntropy(logits, labels, { labelSmoothing });
      noGrad(() => {
        assign(this.#loss, add(this.#loss, mul(loss, labels.size)));
        assign(this.#correct, add(this.#correct, sum(equal(argmax(logits, 1), labels))));
      });
      if (this.scaler) {
        this.scaler.backward(loss);
        this.scaler.step(optimizer as SGD | Adam | AdamW);
      } else {
        backward(loss);
        optimizer.step();
      }
      optimizer.zeroGrad();
    };
    // Autocast covers backward too: a checkpointed block runs again there.
    this.#step = (images, labels) => autocast(precision, () => step(images, labels));
    if (options.compile ?? known) this.#compiled = compile(this.#step);
  }

  /** Launch one step. Only the first call waits, for compilation. */
  async step({ images, picks, shape, labels }: Batch): Promise<void> {
    const device = this.#device;
    using x = picks ? tensor(picks, [shape[0], 4], { device }) : tensor(images, shape, { device });
    using truth = tensor(labels, [shape[0]], { device });
    if (this.#compiled) await this.#compiled(x, truth);
    else scope(() => this.#step(x, truth));
    this.#images += shape[0];
  }

  /** Wait for all steps so far, and read the sums since the last read. */
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
    this.scaler?.dispose();
    this.#loss.dispose();
    this.#correct.dispose();
  }
}
