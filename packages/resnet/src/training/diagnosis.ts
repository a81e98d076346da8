import {
  autocast,
  crossEntropy,
  type Device,
  describeOrigin,
  findNaN,
  type Generator,
  noGrad,
  type Precision,
  scope,
  tensor,
} from "@shadegrad/tensor";
import { evaluate as evaluationMode, train as trainingMode } from "@shadegrad/tensor/nn";
import type { Batch } from "../data/index.ts";
import { Snapshot } from "./snapshot.ts";
import type { Trained } from "./step.ts";
import type { TrainingProgress } from "./training-state.ts";

/** Position of a training in its steps and epochs. */
export type Position = Pick<TrainingProgress, "step" | "epoch" | "position">;

/** The steps of a training, to be repeated from a snapshot. */
export interface Replay extends Trained {
  readonly device: Device;
  readonly generator: Generator;
  readonly precision: Precision;
  /** Steps of an epoch. */
  readonly perEpoch: number;
  /** The batches of the epoch that a position is in, from there on. */
  batches(from: Position): AsyncIterable<Batch>;
  /** Step number `step`, with that batch. */
  step(batch: Batch, step: number): Promise<void>;
}

/** Keeps a snapshot of a training, and finds the op that went wrong since. */
export class Diagnosis {
  readonly #training: Replay;
  readonly #snapshot: Snapshot;
  /** Position of the snapshot. */
  #seen: Position = { step: 0, epoch: 0, position: 0 };

  constructor(training: Replay) {
    this.#training = training;
    this.#snapshot = new Snapshot(training, training.generator);
  }

  /** Take a snapshot before the next steps. */
  see({ step, epoch, position }: Position): void {
    this.#seen = { step, epoch, position };
    this.#snapshot.take();
  }

  /**
   * Find the op that went wrong between the snapshot and `now`, or in the evaluation of these images, and restore the
   * snapshot.
   */
  async explain(what: string, now: Position, evaluated?: AsyncIterable<Batch>): Promise<Error> {
    const found =
      (await this.#stepAgain(now)) ??
      (evaluated && (await this.#evaluateAgain(evaluated))) ??
      `no op made a NaN when the steps from ${this.#seen.step + 1} on were repeated`;
    this.#snapshot.restore();
    const { perEpoch, optimizer } = this.#training;
    const epoch = Math.ceil(now.step / perEpoch);
    return new Error(
      `train: ${what} by step ${now.step} of epoch ${epoch}: ${found}. The model is as it was after step ${this.#seen.step}. A learning rate below ${optimizer.lr} may help.`,
    );
  }

  dispose(): void {
    this.#snapshot.dispose();
  }

  /** Repeat the steps since the snapshot, with every op checked. */
  async #stepAgain({ step: end }: Position): Promise<string | undefined> {
    const { model, scaler, device } = this.#training;
    this.#snapshot.restore();
    trainingMode(model);
    let at = this.#seen.step;
    for await (const batch of this.#training.batches(this.#seen)) {
      if (at === end) return undefined;
      const origin = await findNaN(() => this.#training.step(batch, at), device);
      at++;
      // A gradient that overflows in f16 reaches no weight.
      const isLeftOut = scaler && origin?.op.startsWith("the gradient of ");
      if (origin && !isLeftOut) return `in step ${at}, ${describeOrigin(origin)}`;
    }
    return undefined;
  }

  /** Evaluate images again, with every op checked. */
  async #evaluateAgain(evaluated: AsyncIterable<Batch>): Promise<string | undefined> {
    const { model, device, precision } = this.#training;
    evaluationMode(model);
    let count = 0;
    for await (const { images, shape, labels } of evaluated) {
      const evaluate = () => {
        const logits = model.forward(tensor(images, shape, { device }));
        crossEntropy(logits, tensor(labels, [shape[0]], { device }));
      };
      const origin = await findNaN(() => noGrad(() => scope(() => autocast(precision, evaluate))), device);
      count += shape[0];
      if (origin) return `among the first ${count} images of the validation, ${describeOrigin(origin)}`;
    }
    return undefined;
  }
}
