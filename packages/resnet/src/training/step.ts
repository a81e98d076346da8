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

/** What training asks of an optimizer: SGD, Adam or one's own. */
export type AnyOptimizer = Pick<
  Optimizer<{ lr: number }>,
  "lr" | "step" | "zeroGrad" | "stateDict" | "loadStateDict"
> & { readonly groups?: readonly { lr: number }[] };

export interface StepOptions {
  readonly model: Layer & object;
  readonly optimizer: AnyOptimizer;
  readonly labelSmoothing: number;
  /**
   * Whether a step is recorded once and then repeated (see `compile`), rather than run op by op: true unless
   * the optimizer is one's own, of which nobody knows what it decides anew at each step.
   */
  readonly compile?: boolean | undefined;
  /** What products are computed with: the device's own precision if absent. */
  readonly precision?: Precision | undefined;
  /** Images on the GPU, which batches then name by their picks. */
  readonly deviceImages?: DeviceImages | undefined;
}

/** What a step changes. */
export interface Trained extends Pick<StepOptions, "model" | "optimizer"> {
  /** Where products are computed in f16. */
  readonly scaler?: LossScaler | undefined;
  /** Slow weights, where there are some. */
  readonly lookahead?: Lookahead | undefined;
}

type Step = (images: Tensor, labels: Tensor) => void;

/** Steps of training, with losses and right answers summed on the GPU, so that reading them is not a matter of every step. */
export class Steps {
  /** Keeps gradients from vanishing, and steps that overflow from counting, where products are computed in f16. */
  readonly scaler: LossScaler | undefined;
  readonly #device: Device;
  readonly #loss: Tensor;
  readonly #correct: Tensor;
  readonly #step: Step;
  readonly #compiled: Compiled<[Tensor, Tensor], void> | undefined;
  #images = 0;

  constructor(device: Device, options: StepOptions) {
    const { model, optimizer, labelSmoothing, precision = device.precision, deviceImages } = options;
    const known = [SGD, Adam, AdamW].some((kind) => optimizer.constructor === kind);
    if (precision === "f16") {
      if (!known) {
        throw new RangeError(
          `train: precision is f16, for which gradients are scaled, and ${optimizer.constructor.name} does not know by how much; SGD, Adam and AdamW do.`,
        );
      }
      this.scaler = new LossScaler({ device });
    }
    this.#device = device;
    this.#loss = keep(zeros([], { device }));
    this.#correct = keep(zeros([], { device }));
    const step: Step = (input, labels) => {
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
    // Its way back as well: a checkpointed block runs once more there.
    this.#step = (images, labels) => autocast(precision, () => step(images, labels));
    if (options.compile ?? known) this.#compiled = compile(this.#step);
  }

  /** Move the weights along the gradient of one batch: everything is launched, nothing waited for but, once, the preparation. */
  async step({ images, picks, shape, labels }: Batch): Promise<void> {
    const device = this.#device;
    using x = picks ? tensor(picks, [shape[0], 4], { device }) : tensor(images, shape, { device });
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
    this.scaler?.dispose();
    this.#loss.dispose();
    this.#correct.dispose();
  }
}
