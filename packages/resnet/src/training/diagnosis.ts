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
import type { Progress } from "./checkpoint.ts";
import { Snapshot } from "./snapshot.ts";
import type { Trained } from "./step.ts";

/** How far a training is. */
export type Position = Pick<Progress, "step" | "epoch" | "position">;

/** What can be done once more. */
export interface Repeated extends Trained {
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

/** Remembers how a training was, and finds out which op went wrong since. */
export class Diagnosis {
  readonly #training: Repeated;
  readonly #snapshot: Snapshot;
  /** Where the snapshot was taken. */
  #seen: Position = { step: 0, epoch: 0, position: 0 };

  constructor(training: Repeated) {
    this.#training = training;
    this.#snapshot = new Snapshot(training, training.generator);
  }

  /** Remember how things are, in case that the next steps go wrong. */
  see({ step, epoch, position }: Position): void {
    this.#seen = { step, epoch, position };
    this.#snapshot.take();
  }

  /**
   * Find out what went wrong between there and `now`, or in judging these images, and put the model back to
   * how it was.
   */
  async explain(what: string, now: Position, judged?: AsyncIterable<Batch>): Promise<Error> {
    const found =
      (await this.#stepAgain(now)) ??
      (judged && (await this.#judgeAgain(judged))) ??
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

  /** Go through the steps since the snapshot once more, looking at everything. */
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

  /** Judge images, looking at everything. */
  async #judgeAgain(judged: AsyncIterable<Batch>): Promise<string | undefined> {
    const { model, device, precision } = this.#training;
    evaluationMode(model);
    let count = 0;
    for await (const { images, shape, labels } of judged) {
      const judge = () => {
        const logits = model.forward(tensor(images, shape, { device }));
        crossEntropy(logits, tensor(labels, [shape[0]], { device }));
      };
      const origin = await findNaN(() => noGrad(() => scope(() => autocast(precision, judge))), device);
      count += shape[0];
      if (origin) return `among the first ${count} images to judge by, ${describeOrigin(origin)}`;
    }
    return undefined;
  }
}
