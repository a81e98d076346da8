import {
  type Batch,
  batches,
  type ResNet,
  readTraining,
  shuffled,
  type TrainingProgress,
  writeTraining,
} from "@shadegrad/resnet";
import {
  argmax,
  backward,
  type Compiled,
  compile,
  crossEntropy,
  type Device,
  equal,
  type Generator,
  generatorOf,
  manualSeed,
  mean,
  noGrad,
  softmax,
  stack,
  type Tensor,
  tensor,
} from "@shadegrad/tensor";
import { type SourceInput, toBytes } from "@shadegrad/tensor/formats";
import { countParameters, dispose, evaluate, train } from "@shadegrad/tensor/nn";
import type { Curve, TestImages, TrainMessage, TrainSettings } from "../../worker-client/messages/train.ts";
import type { Data } from "./data.ts";
import { netOf, optimizerOf } from "./net.ts";

/** Number of test images that the page shows: one batch of a validation. */
const SHOWN = 40;
/** Batches of a validation, on a GPU and on a CPU. */
const VALIDATED = { gpu: 25, software: 4 };
/** Largest share of the time that validations take. */
const VALIDATING = 0.15;
/** Steps in the queue while the next one is prepared. */
const IN_FLIGHT = 2;
/** Milliseconds between two copies, from which a training resumes after the device is lost. */
const KEEP = 10_000;

/** A training: net, optimizer, data and progress. */
export class Session {
  readonly settings: TrainSettings;
  readonly model: ResNet;
  readonly device: Device;
  /** A checkpoint in memory, from which the training resumes after the device is lost. */
  kept: Uint8Array<ArrayBuffer> | undefined;
  readonly #data: Data;
  readonly #optimizer: ReturnType<typeof optimizerOf>;
  readonly #generator: Generator;
  readonly #step: Compiled<[Tensor, Tensor], Tensor>;
  readonly #predict: Compiled<[Tensor], Tensor>;
  #progress: TrainingProgress = {
    step: 0,
    epoch: 0,
    position: 0,
    loss: 0,
    correct: 0,
    images: 0,
    seconds: 0,
    ended: 0,
  };
  #stop = false;
  #running: Promise<void> = Promise.resolve();
  #validated = { at: Number.NEGATIVE_INFINITY, took: 0, step: -1 };
  #keptAt = Number.NEGATIVE_INFINITY;
  #preparing: ((done: number, of: number) => void) | undefined;

  constructor(settings: TrainSettings, data: Data, device: Device) {
    this.settings = settings;
    this.device = device;
    this.#data = data;
    manualSeed(settings.seed);
    this.model = netOf(settings, data.train.classes.length);
    this.#optimizer = optimizerOf(settings, this.model);
    this.#generator = generatorOf(device);
    const onProgress = (done: number, of: number) => this.#preparing?.(done, of);
    this.#step = compile(
      (images: Tensor, labels: Tensor) => {
        const logits = this.model.forward(images);
        const loss = crossEntropy(logits, labels);
        const seen = noGrad(() => stack([loss, mean(equal(argmax(logits, 1), labels))]));
        backward(loss);
        this.#optimizer.step();
        this.#optimizer.zeroGrad();
        return seen;
      },
      { onProgress },
    );
    this.#predict = compile((images: Tensor) => noGrad(() => softmax(this.model.forward(images))), {
      onProgress,
    });
  }

  get step(): number {
    return this.#progress.step;
  }

  /** Steps per epoch; an incomplete last batch is dropped. */
  get perEpoch(): number {
    return Math.max(1, Math.floor(this.#data.train.length / this.settings.batchSize));
  }

  get parameters(): number {
    return countParameters(this.model);
  }

  get test(): TestImages {
    const { images, labels, shape } = this.#data.test.slice(0, SHOWN);
    const pixels = new Uint8ClampedArray((images.length / 3) * 4).fill(255);
    for (let i = 0, at = 0; i < images.length; i += 3, at += 4) pixels.set(images.subarray(i, i + 3), at);
    return { side: shape[0], pixels, labels: Uint8Array.from(labels) };
  }

  /** Resume from a checkpoint that {@link file} wrote. */
  async resume(file: SourceInput): Promise<void> {
    const [model, optimizer, generator] = [this.model, this.#optimizer, this.#generator];
    this.#progress = await readTraining(file, {
      ...{ model, optimizer, generator },
      resumeSettings: this.#resumeSettings,
    });
  }

  /** A checkpoint: net, optimizer, progress, and the curve so far. */
  file(curve: Curve): Promise<Uint8Array<ArrayBuffer>> {
    const { seed, offset } = this.#generator;
    const state = {
      progress: this.#progress,
      resumeSettings: this.#resumeSettings,
      generator: { seed, offset },
    };
    const notes = { page: JSON.stringify({ settings: this.settings, curve }) };
    return toBytes(writeTraining({ model: this.model, optimizer: this.#optimizer }, state, notes));
  }

  get #resumeSettings() {
    return { ...this.settings };
  }

  /** Train until `steps` are done, or until {@link pause}. */
  async run(steps: number, onProgress: (message: TrainMessage) => void): Promise<void> {
    await this.pause();
    this.#stop = false;
    this.#preparing = (done, of) => onProgress({ kind: "preparing", done, of });
    this.#running = this.#run(steps, onProgress).finally(() => {
      this.#preparing = undefined;
    });
    await this.#running;
  }

  async pause(): Promise<void> {
    this.#stop = true;
    await this.#running.catch(() => {}); // `run` rejects with it as well
  }

  async #run(steps: number, onProgress: (message: TrainMessage) => void): Promise<void> {
    if (this.#validated.step < 0) await this.#validate(onProgress);
    const waiting: Promise<void>[] = [];
    const start = { at: performance.now(), step: this.step };
    const recent = [start];
    while (!this.#stop && this.step < steps) {
      for await (const batch of this.#batches()) {
        if (this.#stop || this.step >= steps) break;
        waiting.push((await this.#advance(batch, recent, onProgress)).reported);
        if (waiting.length > IN_FLIGHT) await waiting.shift();
        const { at, took } = this.#validated;
        if (performance.now() - at > Math.max(1000, took / VALIDATING)) {
          await Promise.all(waiting.splice(0));
          await this.#validate(onProgress);
        }
      }
    }
    await Promise.all(waiting);
    if (this.#validated.step < this.step) await this.#validate(onProgress);
    await this.#keep();
  }

  #batches(): AsyncGenerator<Batch, void, undefined> {
    const { seed, batchSize, augment } = this.settings;
    const { epoch, position } = this.#progress;
    const order = shuffled(this.#data.train.length, seed, epoch).subarray(0, this.perEpoch * batchSize);
    return batches(this.#data.train, {
      seed,
      batchSize,
      epoch,
      order,
      start: position,
      ahead: 1,
      ...(augment && { augment: { pad: 4, flip: true } }),
    });
  }

  /** Launch a step; `reported` settles when its loss has been sent to the page. */
  async #advance(
    { images, shape, labels }: Batch,
    recent: { at: number; step: number }[],
    onProgress: (message: TrainMessage) => void,
  ): Promise<{ reported: Promise<void> }> {
    const { device } = this;
    train(this.model);
    using x = tensor(images, shape, { device });
    using truth = tensor(labels, [shape[0]], { device });
    const seen = await this.#step(x, truth);
    const progress = this.#progress;
    const step = ++progress.step;
    if (++progress.position === this.perEpoch)
      Object.assign(progress, { epoch: progress.epoch + 1, position: 0 });
    const reported = seen.data().then((numbers) => {
      seen.dispose();
      const [loss, accuracy] = numbers as Float32Array;
      const at = performance.now();
      recent.push({ at, step });
      while (recent.length > 2 && at - recent[0]!.at > 3000) recent.shift();
      const images = (step - recent[0]!.step) * shape[0];
      const imagesPerSecond = (images * 1000) / (at - recent[0]!.at);
      const { bytes: memory } = device.counts;
      onProgress({ kind: "step", step, loss: loss!, accuracy: accuracy!, imagesPerSecond, memory });
      if (!Number.isFinite(loss)) {
        throw new Error(
          `The loss became ${loss} at step ${step}. Reset, and start with a smaller learning rate.`,
        );
      }
    });
    reported.catch(() => {}); // `#run` awaits it
    return { reported };
  }

  /** Validate the net on test images. */
  async #validate(onProgress: (message: TrainMessage) => void): Promise<void> {
    const start = performance.now();
    const { step } = this;
    const guesses = new Uint8Array(SHOWN);
    const confidence = new Float32Array(SHOWN);
    const count = this.device.adapter.software ? VALIDATED.software : VALIDATED.gpu;
    let right = 0;
    let images = 0;
    evaluate(this.model);
    const test = this.#data.test.slice(0, SHOWN * count);
    for await (const { images: pixels, shape, labels } of batches(test, { batchSize: SHOWN })) {
      using x = tensor(pixels, shape, { device: this.device });
      using scores = await this.#predict(x);
      const shares = (await scores.data()) as Float32Array;
      labels.forEach((label, n) => {
        const own = shares.subarray(
          (n * shares.length) / labels.length,
          ((n + 1) * shares.length) / labels.length,
        );
        const guess = own.reduce((best, share, i) => (share > own[best]! ? i : best), 0);
        if (images === 0) {
          guesses[n] = guess;
          confidence[n] = own[guess]!;
        }
        right += Number(guess === label);
      });
      images += labels.length;
    }
    const took = performance.now() - start;
    this.#validated = { at: performance.now(), took, step };
    onProgress({ kind: "test", step, images, accuracy: right / images, guesses, confidence });
    if (performance.now() - this.#keptAt > KEEP) await this.#keep();
  }

  async #keep(): Promise<void> {
    const nothing = { steps: [], loss: [], accuracy: [], test: { steps: [], accuracy: [] } };
    this.kept = await this.file(nothing);
    this.#keptAt = performance.now();
  }

  async dispose(): Promise<void> {
    if (this.device.isLost) return; // its promises may never settle
    await this.pause();
    this.#step.dispose();
    this.#predict.dispose();
    this.#optimizer.dispose();
    dispose(this.model);
  }
}
