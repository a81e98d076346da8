import { type Device, debugLevel, type Generator, generatorOf } from "@shadegrad/tensor";
import { save } from "@shadegrad/tensor/formats";
import { train as trainingMode } from "@shadegrad/tensor/nn";
import { Lookahead } from "@shadegrad/tensor/optim";
import { saveCheckpoint } from "../checkpoints/index.ts";
import { type Batch, batches, type Dataset, datasetOf, ImageSet, shuffled } from "../data/index.ts";
import { NotFiniteError, type Progress, readTraining, writeTraining } from "./checkpoint.ts";
import { DeviceImages } from "./device-images.ts";
import { Diagnosis, type Position } from "./diagnosis.ts";
import { deviceOf, type Evaluation, evaluateModel } from "./evaluate.ts";
import { type Fixed, fixedOf } from "./fixed.ts";
import { printEpochs, stepLine } from "./lines.ts";
import { filled, type Options, preprocessingOf, settingsOf } from "./options.ts";
import { Pace } from "./pace.ts";
import type { EpochRecord, ProgressEvent, Settings, StepRecord } from "./records.ts";
import { reportPage } from "./report.ts";
import { RunFolder } from "./run-folder.ts";
import { Steps, type Trained } from "./step.ts";
import type { TrainOptions, TrainResult } from "./train.ts";

/** Steps that wait for the GPU while the next is prepared. */
const IN_FLIGHT = 2;
/** Milliseconds between two looks at the loss: each lets the GPU run dry for a moment. */
const LOOK = debugLevel >= 1 ? 0 : 1000;

/** A training under way. */
export class Training {
  readonly #options: Options;
  readonly #data: Dataset;
  readonly #validation: Dataset | undefined;
  readonly #device: Device;
  readonly #generator: Generator;
  readonly #settings: Settings;
  readonly #steps: number;
  readonly #perEpoch: number;
  readonly #folder: RunFolder | undefined;
  readonly #stepping: Steps;
  readonly #deviceImages: DeviceImages | undefined;
  readonly #lookahead: Lookahead | undefined;
  readonly #tell: (event: ProgressEvent) => void;
  #fixed: Fixed = {};
  #begun = 0;
  #diagnosis: Diagnosis | undefined;
  #progress: Progress = { step: 0, epoch: 0, position: 0, loss: 0, correct: 0, images: 0, seconds: 0 };
  /** Up to which step the loss was read, and when. */
  #read = 0;
  #looked = performance.now();
  #pace = new Pace();
  #inFlight: Promise<void>[] = [];
  #epochs: EpochRecord[] = [];
  #evaluation: Evaluation | undefined;

  private constructor(
    options: Options,
    data: Dataset,
    validation: Dataset | undefined,
    folder: RunFolder | undefined,
  ) {
    this.#options = options;
    this.#data = data;
    this.#validation = validation;
    this.#folder = folder;
    this.#device = deviceOf(options.model);
    this.#generator = generatorOf(this.#device);
    this.#settings = settingsOf(options, data);
    this.#perEpoch = Math.ceil(data.length / options.batchSize);
    this.#steps = options.steps ?? options.epochs! * this.#perEpoch;
    this.#deviceImages = options.onDevice ? deviceImagesOf(options, data, this.#device) : undefined;
    this.#lookahead = options.lookahead && new Lookahead(options.model);
    this.#stepping = new Steps(this.#device, { ...options, deviceImages: this.#deviceImages });
    this.#tell = options.onProgress ?? printEpochs;
  }

  static async begin(given: TrainOptions): Promise<Training> {
    const options = filled(given);
    const data = await datasetOf(options.data);
    if (data.length === 0) throw new RangeError("train: there is no image to learn from.");
    const validation = options.validation && (await datasetOf(options.validation));
    const folder = options.out === undefined ? undefined : await RunFolder.open(options.out);
    const training = new Training(options, data, validation, folder);
    await training.#resume();
    training.#diagnosis = new Diagnosis({
      ...training.#trained,
      device: training.#device,
      generator: training.#generator,
      precision: options.precision ?? training.#device.precision,
      perEpoch: training.#perEpoch,
      batches: (from) => training.#batches(from),
      step: (batch, step) => training.#step(batch, step),
    });
    return training;
  }

  get #trained(): Trained {
    const { model, optimizer } = this.#options;
    return { model, optimizer, scaler: this.#stepping.scaler, lookahead: this.#lookahead };
  }

  async #resume(): Promise<void> {
    const { resume = false, seed } = this.#options;
    Object.assign(this.#generator, { seed, offset: 0 });
    const folder = this.#folder;
    const there = folder !== undefined && (await folder.hasCheckpoint());
    if (there && !resume) {
      throw new Error(
        `train: ${folder.path} has the checkpoint of a training already. Go on with it by resume, or name another folder.`,
      );
    }
    const path = typeof resume === "string" ? resume : there ? folder.checkpoint : undefined;
    if (folder || path !== undefined) this.#fixed = await fixedOf(this.#options, this.#data);
    if (path !== undefined) {
      const { schedule } = this.#options;
      const [generator, fixed] = [this.#generator, this.#fixed];
      this.#progress = await readTraining(path, { ...this.#trained, generator, fixed, schedule });
    }
    const { step } = this.#progress;
    if (step > this.#steps) {
      throw new RangeError(
        `train: ${path} has ${step} steps done, more than the ${this.#steps} that are asked for. Ask for more, or begin in another folder.`,
      );
    }
    this.#begun = step;
    await folder?.keepUntil(path === undefined ? -1 : step);
    this.#epochs = (folder?.records ?? []).filter((record) => record.kind === "epoch");
    if (this.#isOver) return;
    await folder?.record({ kind: "start", step, adapter: this.#device.name, settings: this.#settings });
  }

  /** An epoch that was interrupted before it was judged is at its end and not over. */
  get #isOver(): boolean {
    return this.#progress.step >= this.#steps && this.#progress.position !== this.#perEpoch;
  }

  async run(): Promise<TrainResult> {
    const { signal } = this.#options;
    let done = true;
    while (done && !this.#isOver) {
      await this.#epoch();
      done = !signal?.aborted && (await this.#endEpoch());
      if (!done) await this.#save();
    }
    const { step, seconds } = this.#progress;
    return {
      done,
      step,
      begun: this.#begun,
      seconds,
      epochs: this.#epochs,
      validation: this.#evaluation,
    };
  }

  dispose(): void {
    this.#stepping.dispose();
    this.#deviceImages?.dispose();
    this.#lookahead?.dispose();
    this.#diagnosis?.dispose();
  }

  /** Go through what is left of an epoch. */
  async #epoch(): Promise<void> {
    const progress = this.#progress;
    const { signal, logEvery } = this.#options;
    trainingMode(this.#options.model);
    this.#looked = performance.now();
    this.#read = progress.step;
    this.#diagnosis!.see(progress);
    for await (const batch of this.#batches(progress)) {
      if (signal?.aborted || progress.step >= this.#steps) break;
      await this.#step(batch, progress.step);
      progress.step++;
      progress.position++;
      await this.#keepUp();
      const last = progress.position === this.#perEpoch || progress.step === this.#steps;
      const due = progress.step % logEvery === 0;
      if (last || due || performance.now() - this.#looked >= LOOK) await this.#look(due);
      // What the last steps broke may show when they are judged or saved, and is then looked for from before them.
      if (!last && this.#read === progress.step) this.#diagnosis!.see(progress);
    }
    if (this.#read < progress.step) await this.#look(false);
  }

  #batches({ epoch, position: start }: Position): AsyncIterable<Batch> {
    const { seed, batchSize, augment, crop, normalization } = this.#options;
    const order = shuffled(this.#data.length, seed, epoch);
    if (this.#deviceImages) return this.#deviceImages.batches({ order, start, batchSize, epoch });
    return batches(this.#data, { seed, batchSize, augment, crop, normalization, epoch, order, start });
  }

  async #step(batch: Batch, step: number): Promise<void> {
    const { schedule, optimizer, rateFactors, lookahead } = this.#options;
    if (schedule) {
      optimizer.lr = schedule(step);
      rateFactors?.forEach((factor, i) => {
        optimizer.groups![i]!.lr = factor * schedule(step);
      });
    }
    await this.#stepping.step(batch);
    if (!lookahead) return;
    const isLast = step + 1 === this.#steps;
    if (isLast) await this.#lookahead!.update(1);
    else if ((step + 1) % lookahead.every === 0) await this.#lookahead!.update(lookahead.decay(step + 1));
  }

  /** Let the GPU be a few steps behind, not more: what waits for it takes memory. */
  async #keepUp(): Promise<void> {
    const done = this.#device.synchronize();
    done.catch(() => {}); // thrown below, when its turn comes
    this.#inFlight.push(done);
    if (this.#inFlight.length > IN_FLIGHT) await this.#inFlight.shift();
  }

  /** Read the loss over the steps since the last look; stop where it is none. */
  async #look(due: boolean): Promise<void> {
    const { loss, correct, images } = await this.#stepping.read();
    await Promise.all(this.#inFlight);
    this.#inFlight = [];
    if (!Number.isFinite(loss)) throw await this.#explain(`the loss became ${loss}`);

    const progress = this.#progress;
    const now = performance.now();
    const seconds = (now - this.#looked) / 1000;
    this.#looked = now;
    progress.loss += loss;
    progress.correct += correct;
    progress.images += images;
    progress.seconds += seconds;
    this.#pace.add({ steps: progress.step - this.#read, loss, correct, images, seconds });
    this.#read = progress.step;
    const record = this.#stepRecord();
    const extent = this.#extent();
    const left = [extent.steps - progress.step, extent.epochs - progress.epoch] as const;
    const part = progress.position / this.#perEpoch;
    this.#tell({ ...record, ...extent, part, secondsLeft: this.#pace.secondsFor(...left) });
    if (debugLevel >= 1) console.log(stepLine(record, this.#device));
    if (!due) return;
    await this.#folder?.record(record);
    this.#pace.begin();
  }

  #stepRecord(): StepRecord {
    const { step, epoch, seconds } = this.#progress;
    const { lr } = this.#options.optimizer;
    return { kind: "step", step, epoch: epoch + 1, ...this.#pace.means(), lr, seconds };
  }

  #extent(): { epochs: number; steps: number } {
    return { steps: this.#steps, epochs: Math.ceil(this.#steps / this.#perEpoch) };
  }

  /** Judge, record and save; false if that was interrupted. */
  async #endEpoch(): Promise<boolean> {
    const progress = this.#progress;
    const { model, crop, normalization, batchSize, precision, signal } = this.#options;
    const epoch = progress.epoch + 1;
    if (this.#validation) {
      const started = performance.now();
      const onProgress = (done: { images: number; of: number }) =>
        this.#tell({ kind: "validation", epoch, images: done.images, of: done.of });
      const options = { crop, normalization, batchSize, precision, signal, onProgress };
      const evaluation = await evaluateModel(model, this.#validation, options);
      if (signal?.aborted) return false;
      if (!Number.isFinite(evaluation.loss))
        throw await this.#explain(`the loss of the validation became ${evaluation.loss}`, this.#validation);
      this.#evaluation = evaluation;
      this.#pace.validationSeconds = (performance.now() - started) / 1000;
    }
    const { step, images, seconds } = progress;
    const { loss, top1, top5 } = this.#evaluation ?? {};
    const record: EpochRecord = {
      kind: "epoch",
      step,
      epoch,
      loss: progress.loss / images,
      accuracy: progress.correct / images,
      seconds,
      ...(this.#evaluation && { validation: { loss: loss!, top1: top1!, top5: top5! } }),
    };
    this.#epochs.push(record);
    await this.#folder?.record(record);
    if (progress.position === this.#perEpoch)
      Object.assign(progress, { epoch, position: 0, loss: 0, correct: 0, images: 0 });
    await this.#save();
    this.#tell({ ...record, ...this.#extent() });
    return true;
  }

  /** What went wrong, and where; the model is put back to how it was before. */
  #explain(what: string, judging?: Dataset): Promise<Error> {
    const { crop, normalization, batchSize } = this.#options;
    const judged = judging && batches(judging, { crop, normalization, batchSize });
    return this.#diagnosis!.explain(what, this.#progress, judged);
  }

  async #save(): Promise<void> {
    const folder = this.#folder;
    if (!folder) return;
    const { model, schedule } = this.#options;
    const { seed, offset } = this.#generator;
    const progress = this.#progress;
    const state = {
      progress,
      fixed: this.#fixed,
      generator: { seed, offset },
      settings: this.#settings,
      ...(schedule && { rates: Array.from({ length: progress.step }, (_, step) => schedule(step)) }),
    };
    // A draft becomes the file once it is on the disk: a kill at any moment leaves the one before whole.
    await save(folder.checkpoint, writeTraining(this.#trained, state)).catch(async (error) => {
      throw error instanceof NotFiniteError ? await this.#explain(error.message) : error;
    });
    await saveCheckpoint(model, folder.weights, {
      preprocessing: preprocessingOf(this.#options, this.#data),
      metadata: { training: JSON.stringify(this.#settings) },
    });
    await folder.write(
      folder.report,
      await reportPage({ model, records: folder.records, evaluation: this.#evaluation }),
    );
  }
}

/** @throws RangeError unless the data are bytes in memory. */
function deviceImagesOf(options: Options, data: Dataset, device: Device): DeviceImages {
  if (data instanceof ImageSet && !(data.images instanceof Float32Array))
    return new DeviceImages(data, device, options);
  throw new RangeError(
    "train: onDevice keeps images on the GPU, for which they have to be bytes in memory: an ImageSet.",
  );
}
