import { isForLarge, pictureTensor, type ResNet, ranked, replaceHead } from "@shadegrad/resnet";
import {
  argmax,
  backward,
  type Compiled,
  compile,
  concat,
  crossEntropy,
  type Device,
  equal,
  mean,
  noGrad,
  stack,
  type Tensor,
  tensor,
} from "@shadegrad/tensor";
import { dispose, evaluate, namedParameters } from "@shadegrad/tensor/nn";
import { AdamW } from "@shadegrad/tensor/optim";
import type { LiveAnswer } from "../../worker-client/messages/classify.ts";
import type { TeachLearn, TeachPicture, TeachStep } from "../../worker-client/messages/teach.ts";
import { batchesOf, type Divided, divided, type Labelled } from "./examples.ts";

/** A picture on the device: what the last stage gets, and what comes out of it. */
interface Example {
  /** `[1, H, W, C]` */
  readonly activation: Tensor;
  /** `[1, features]` */
  features: Tensor;
}

/** Steps over all pictures at once, for the head; and over batches, for the last stage. */
const HEAD = { steps: 120, lr: 0.01 };
const LAST_STAGE = { epochs: 8, batch: 8, lr: 2e-4 };

/** A net of published weights that learns the visitor's classes: a new head, and its last stage. */
export class Lesson {
  readonly net: ResNet;
  readonly device: Device;
  readonly #examples = new Map<number, Example>();
  readonly #trunk: Compiled<[Tensor], Tensor>;
  readonly #end: Compiled<[Tensor], Tensor>;
  #head: Compiled<[Tensor], Tensor> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(net: ResNet, device: Device) {
    this.net = evaluate(net);
    this.device = device;
    const first = net.base.blocks.length - net.base.nBlocks.at(-1)!;
    const trunk = net.base.blocks.slice(0, first);
    this.#trunk = compile((x: Tensor) =>
      noGrad(() => trunk.reduce((y, block) => block.forward(y), net.base.stem(x))),
    );
    this.#end = compile((x: Tensor) => noGrad(() => this.#lastStage(x)));
  }

  get features(): number {
    return this.net.base.outChannels;
  }

  get side(): number {
    return isForLarge(this.net) ? 224 : 32;
  }

  /** Compute the features of a picture, and keep them under a number. */
  async add(id: number, picture: TeachPicture): Promise<void> {
    using x = await pictureTensor(picture, this.net, this.device);
    const example = await this.#inTurn(async () => {
      const activation = await this.#trunk(x);
      const features = await this.#end(activation);
      await this.device.synchronize(); // the page shows a picture as done when it is
      return { activation, features };
    });
    this.remove([id]);
    this.#examples.set(id, example);
  }

  remove(ids: readonly number[]): void {
    for (const id of ids) {
      const example = this.#examples.get(id);
      this.#examples.delete(id);
      example?.activation.dispose();
      example?.features.dispose();
    }
  }

  /**
   * Learn the classes from the pictures. A new head, or the last stage with the head that there is; after an abort no further
   * step is done, the first one excepted.
   */
  async learn(
    { classes, examples, part }: TeachLearn,
    onProgress: (progress: TeachStep) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const parts = divided(examples);
    if (part === "head") {
      this.#head?.dispose();
      this.#head = undefined;
      replaceHead(this.net, classes);
      await this.#learnHead(parts, onProgress, signal);
    } else await this.#learnLastStage(parts, onProgress, signal);
    this.#head ??= compile((x: Tensor) => noGrad(() => this.net.fc.forward(x)));
  }

  async classify(picture: TeachPicture): Promise<LiveAnswer> {
    const start = performance.now();
    using x = await pictureTensor(picture, this.net, this.device);
    const head = this.#head;
    if (!head) throw new Error("The net has not learned the classes yet.");
    const scores = await this.#inTurn(async () => {
      using activation = await this.#trunk(x);
      using features = await this.#end(activation);
      using y = await head(features);
      return y.data();
    });
    const top = ranked(scores as Float32Array, this.net.labels ?? []);
    return { top, milliseconds: performance.now() - start };
  }

  dispose(): void {
    if (this.device.isLost) return;
    this.remove([...this.#examples.keys()]);
    for (const compiled of [this.#trunk, this.#end, this.#head]) compiled?.dispose();
    dispose(this.net);
  }

  #lastStage(x: Tensor): Tensor {
    const { blocks, nBlocks } = this.net.base;
    const last = blocks.slice(blocks.length - nBlocks.at(-1)!);
    return mean(
      last.reduce((y, block) => block.forward(y), x),
      [1, 2],
    );
  }

  async #learnHead(
    parts: Divided,
    onProgress: (progress: TeachStep) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const optimizer = new AdamW(this.net.fc, { lr: HEAD.lr });
    const step = this.#step((x) => this.net.fc.forward(x), optimizer);
    using all = this.#together(parts.learned, "features");
    using others = this.#together(othersOf(parts), "features");
    const { steps } = HEAD;
    try {
      for (let done = 1; done <= steps && (done === 1 || !signal.aborted); done++) {
        const seen = await this.#inTurn(() => step(all.x, all.labels, others.x, others.labels));
        onProgress(stepOf(await valuesOf(seen), [done, steps], parts));
      }
    } finally {
      step.dispose();
      optimizer.dispose();
    }
  }

  /** Batch norms stay in evaluation: the statistics of eight pictures would be worse than those of a million. */
  async #learnLastStage(
    parts: Divided,
    onProgress: (progress: TeachStep) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { blocks, nBlocks } = this.net.base;
    const first = blocks.length - nBlocks.at(-1)!;
    const isLast = (name: string) => {
      const [, block] = /^base\.blocks\.(\d+)\./.exec(name) ?? [];
      return name.startsWith("fc.") || Number(block) >= first;
    };
    const params = new Map([...namedParameters(this.net)].filter(([name]) => isLast(name)));
    const optimizer = new AdamW([{ params }], { lr: LAST_STAGE.lr });
    const step = this.#step((x) => this.net.fc.forward(this.#lastStage(x)), optimizer);
    using others = this.#together(othersOf(parts), "activation");
    const batches = batchesOf(parts.learned, LAST_STAGE.batch, LAST_STAGE.epochs);
    try {
      for (const [done, picks] of batches.entries()) {
        if (done > 0 && signal.aborted) break;
        using batch = this.#together(picks, "activation");
        const seen = await this.#inTurn(() => step(batch.x, batch.labels, others.x, others.labels));
        onProgress(stepOf(await valuesOf(seen), [done + 1, batches.length], parts));
      }
    } finally {
      step.dispose();
      optimizer.dispose();
    }
    for (const example of this.#examples.values()) {
      example.features.dispose();
      example.features = await this.#inTurn(() => this.#end(example.activation));
    }
  }

  /** One step: → `[3]`, the loss, the accuracy on what is learned from, and on what is tested with. */
  #step(
    forward: (x: Tensor) => Tensor,
    optimizer: AdamW,
  ): Compiled<[Tensor, Tensor, Tensor, Tensor], Tensor> {
    const accuracy = (x: Tensor, labels: Tensor) => mean(equal(argmax(x, 1), labels));
    return compile((x: Tensor, labels: Tensor, tested: Tensor, truth: Tensor) => {
      const logits = forward(x);
      const loss = crossEntropy(logits, labels);
      const seen = noGrad(() => stack([loss, accuracy(logits, labels), accuracy(forward(tested), truth)]));
      backward(loss);
      optimizer.step();
      optimizer.zeroGrad();
      return seen;
    });
  }

  /** Examples and their labels as a batch. */
  #together(examples: Labelled, what: "features" | "activation"): Batch {
    const found = examples.map(({ id }) => this.#examples.get(id)![what]);
    const labels = Int32Array.from(examples, ({ label }) => label);
    return new Batch(concat(found), tensor(labels, [labels.length], { device: this.device }));
  }

  /** Work on the device, after the work that was asked for before. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

class Batch {
  readonly x: Tensor;
  readonly labels: Tensor;

  constructor(x: Tensor, labels: Tensor) {
    this.x = x;
    this.labels = labels;
  }

  [Symbol.dispose](): void {
    this.x.dispose();
    this.labels.dispose();
  }
}

/** Pictures to test with; where none are kept, those that are learned from stand in, and their accuracy is not shown. */
const othersOf = ({ learned, tested }: Divided): Labelled => (tested.length > 0 ? tested : learned);

async function valuesOf(seen: Tensor): Promise<Float32Array> {
  const values = await seen.data();
  seen.dispose();
  return values as Float32Array;
}

function stepOf(
  [loss, accuracy, tested]: Float32Array,
  [step, of]: [number, number],
  { tested: kept }: Divided,
): TeachStep {
  return {
    step,
    of,
    loss: loss!,
    accuracy: accuracy!,
    tested: kept.length > 0 ? { accuracy: tested!, pictures: kept.length } : undefined,
  };
}
