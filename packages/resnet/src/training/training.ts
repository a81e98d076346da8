import { debugLevel } from "@shadegrad/tensor";
import { train as trainingMode } from "@shadegrad/tensor/nn";
import { Lookahead } from "@shadegrad/tensor/optim";
import { type Batch, batches, type Dataset, shuffled } from "../data/index.ts";
import { type DeviceImages, deviceImagesOf } from "./device-images.ts";
import { Diagnosis, type Position } from "./diagnosis.ts";
import { type Evaluation, evaluateModel } from "./evaluate.ts";
import { printEpochs, stepLine } from "./lines.ts";
import { preprocessingOf, type TrainOptions, type TrainResult } from "./options.ts";
import { Pace } from "./pace.ts";
import type { EpochRecord, ProgressEvent, StepRecord } from "./records.ts";
import type { RunFolder } from "./run-folder.ts";
import { type Setup, type Start, setUp, start } from "./setup.ts";
import { Steps, type Trained } from "./step.ts";
import { StepQueue } from "./step-queue.ts";
import { NotFiniteError } from "./training-checkpoint.ts";
import type { TrainingProgress, TrainingState } from "./training-state.ts";

/** A training under way. */
export class Training {
  readonly #setup: Setup;
  readonly #stepping: Steps;
  readonly #queue: StepQueue;
  readonly #deviceImages: DeviceImages | undefined;
  readonly #lookahead: Lookahead | undefined;
  readonly #diagnosis: Diagnosis;
  readonly #report: (event: ProgressEvent) => void;
  readonly #pace = new Pace();
  #start!: Start;
  #progress!: TrainingProgress;
  #begun = 0;
  #epochs: EpochRecord[] = [];
  #evaluation: Evaluation | undefined;

  private constructor(setup: Setup) {
    const { options, data, device, generator, perEpoch } = setup;
    this.#setup = setup;
    this.#deviceImages = options.onDevice ? deviceImagesOf(data, device, options) : undefined;
    this.#lookahead = options.lookahead && new Lookahead(options.model);
    this.#stepping = new Steps(device, { ...options, deviceImages: this.#deviceImages });
    this.#queue = new StepQueue(device, (batch, step) => this.#step(batch, step));
    this.#report = options.onProgress ?? printEpochs;
    this.#diagnosis = new Diagnosis({
      ...this.#trained,
      device,
      generator,
      precision: options.precision ?? device.precision,
      perEpoch,
      batches: (from) => this.#batches(from),
      step: (batch, step) => this.#step(batch, step),
    });
  }

  /** Check the options, open the folder, and load the checkpoint if there is one to resume. */
  static async begin(options: TrainOptions): Promise<Training> {
    const setup = await setUp(options);
    let training: Training | undefined;
    try {
      training = new Training(setup);
      await training.#load();
      return training;
    } catch (error) {
      await (training ? training.dispose() : setup.folder?.close());
      throw error;
    }
  }

  /** Train until all steps are done or the signal is aborted. */
  async run(): Promise<TrainResult> {
    const { signal } = this.#setup.options;
    // A kill may have come between the last checkpoint and the results.
    let done = !this.#isOver || (await this.#repairResults());
    while (done && !this.#isOver) {
      await this.#epoch();
      done = !signal?.aborted && (await this.#endEpoch());
      if (!done) await this.#save();
    }
    const { step, seconds, images } = this.#progress;
    return {
      done,
      step,
      begun: this.#begun,
      seconds,
      epochs: this.#epochs,
      interrupted: done || images === 0 ? undefined : { step, ...this.#means() },
      validation: this.#evaluation,
    };
  }

  async dispose(): Promise<void> {
    this.#stepping.dispose();
    this.#deviceImages?.dispose();
    this.#lookahead?.dispose();
    this.#diagnosis.dispose();
    await this.#setup.folder?.close();
  }

  get #trained(): Trained {
    const { model, optimizer } = this.#setup.options;
    return { model, optimizer, scaler: this.#stepping.scaler, lookahead: this.#lookahead };
  }

  /** All steps are done, and the epoch with the last one was evaluated. */
  get #isOver(): boolean {
    const { step, ended } = this.#progress;
    return step >= this.#setup.steps && ended === step;
  }

  /** Load the checkpoint and the metrics of the training so far, if there are any. */
  async #load(): Promise<void> {
    const { folder, device, settings } = this.#setup;
    this.#start = await start(this.#setup, this.#trained);
    const { progress, path } = this.#start;
    this.#progress = progress;
    this.#begun = progress.step;
    this.#diagnosis.see(progress);
    if (!folder) return;
    if (path === undefined) await folder.clearRecords();
    else await folder.keepRecords(progress, this.#isOver);
    this.#epochs = folder.epochs;
    if (this.#isOver) return;
    await folder.record({ kind: "start", step: progress.step, adapter: device.name, settings });
  }

  /** Do the steps that are left of an epoch. */
  async #epoch(): Promise<void> {
    const progress = this.#progress;
    const { signal, logEvery } = this.#setup.options;
    trainingMode(this.#setup.options.model);
    this.#queue.startClock();
    this.#diagnosis.see(progress);
    for await (const batch of this.#batches(progress)) {
      if (signal?.aborted || progress.step >= this.#setup.steps) break;
      await this.#queue.step(batch, progress.step);
      progress.step++;
      progress.position++;
      const isLast = progress.position === this.#setup.perEpoch || progress.step === this.#setup.steps;
      const isLogged = progress.step % logEvery === 0;
      if (isLast || isLogged || this.#queue.isDue) await this.#read(isLogged);
      // A fault may surface only at validation or save: keep the snapshot from before the last steps.
      if (!isLast && this.#queue.unread === 0) this.#diagnosis.see(progress);
    }
    if (this.#queue.unread > 0) await this.#read(false);
  }

  #batches({ epoch, position: start }: Position): AsyncIterable<Batch> {
    const { seed, batchSize, augment, crop, normalization } = this.#setup.options;
    const order = shuffled(this.#setup.data.length, seed, epoch);
    if (this.#deviceImages) return this.#deviceImages.batches({ order, start, batchSize, epoch });
    return batches(this.#setup.data, { seed, batchSize, augment, crop, normalization, epoch, order, start });
  }

  /** Launch the step with this index. */
  async #step(batch: Batch, step: number): Promise<void> {
    const { schedule, optimizer, rateFactors, lookahead } = this.#setup.options;
    if (schedule) {
      optimizer.lr = schedule(step);
      rateFactors?.forEach((factor, i) => {
        optimizer.groups![i]!.lr = factor * schedule(step);
      });
    }
    await this.#stepping.step(batch);
    const done = step + 1;
    if (!lookahead) return;
    if (done === this.#setup.steps) await this.#lookahead!.update(1);
    else if (done % lookahead.every === 0) await this.#lookahead!.update(lookahead.decay(done));
  }

  /** Read the loss over the steps since the last read; a loss that is not finite ends the training. */
  async #read(isLogged: boolean): Promise<void> {
    const sums = await this.#queue.read(this.#stepping);
    if (!Number.isFinite(sums.loss)) throw await this.#explain(`the loss became ${sums.loss}`);
    const progress = this.#progress;
    progress.loss += sums.loss;
    progress.correct += sums.correct;
    progress.images += sums.images;
    progress.seconds += sums.seconds;
    this.#pace.add(sums);
    const record = this.#stepRecord();
    const extent = this.#extent();
    const left = [extent.steps - progress.step, extent.epochs - progress.epoch] as const;
    const part = progress.position / this.#setup.perEpoch;
    this.#report({ ...record, ...extent, part, secondsLeft: this.#pace.secondsFor(...left) });
    if (debugLevel >= 1) console.log(stepLine(record, this.#setup.device));
    if (!isLogged) return;
    await this.#setup.folder?.record(record);
    this.#pace.reset();
  }

  #stepRecord(): StepRecord {
    const { step, epoch, seconds } = this.#progress;
    const { lr } = this.#setup.options.optimizer;
    return { kind: "step", step, epoch: epoch + 1, ...this.#pace.means(), lr, seconds };
  }

  #extent(): { epochs: number; steps: number } {
    return { steps: this.#setup.steps, epochs: Math.ceil(this.#setup.steps / this.#setup.perEpoch) };
  }

  /** Means over the steps of the epoch so far. */
  #means(): Pick<EpochRecord, "epoch" | "loss" | "accuracy" | "seconds"> {
    const { epoch, loss, correct, images, seconds } = this.#progress;
    return { epoch: epoch + 1, loss: loss / images, accuracy: correct / images, seconds };
  }

  /** Evaluate, record and save; false if the signal interrupted the evaluation. */
  async #endEpoch(): Promise<boolean> {
    const progress = this.#progress;
    if (!(await this.#evaluate())) return false;
    const { loss, top1, top5 } = this.#evaluation ?? {};
    const record: EpochRecord = {
      kind: "epoch",
      step: progress.step,
      ...this.#means(),
      ...(this.#evaluation && { validation: { loss: loss!, top1: top1!, top5: top5! } }),
    };
    this.#epochs.push(record);
    await this.#setup.folder?.record(record);
    progress.ended = progress.step;
    if (progress.position === this.#setup.perEpoch) {
      Object.assign(progress, { epoch: progress.epoch + 1, position: 0, loss: 0, correct: 0, images: 0 });
    }
    await this.#save();
    this.#report({ ...record, ...this.#extent() });
    return true;
  }

  /** Evaluate the net on the validation data, if there are any; false if the signal interrupted it. */
  async #evaluate(): Promise<boolean> {
    if (!this.#setup.validation) return true;
    const { model, crop, normalization, batchSize, precision, signal } = this.#setup.options;
    const started = performance.now();
    const epoch = this.#progress.epoch + 1;
    const onProgress = ({ images, of }: { images: number; of: number }) =>
      this.#report({ kind: "validation", epoch, images, of });
    const options = { crop, normalization, batchSize, precision, signal, onProgress };
    const evaluation = await evaluateModel(model, this.#setup.validation, options);
    if (signal?.aborted) return false;
    if (!Number.isFinite(evaluation.loss))
      throw await this.#explain(
        `the loss of the validation became ${evaluation.loss}`,
        this.#setup.validation,
      );
    this.#evaluation = evaluation;
    this.#pace.validationSeconds = (performance.now() - started) / 1000;
    return true;
  }

  /** An error with the op at fault; the model is put back to its state before that. */
  #explain(what: string, validation?: Dataset): Promise<Error> {
    const { crop, normalization, batchSize } = this.#setup.options;
    const evaluated = validation && batches(validation, { crop, normalization, batchSize });
    return this.#diagnosis.explain(what, this.#progress, evaluated);
  }

  async #save(): Promise<void> {
    const folder = this.#setup.folder;
    if (!folder) return;
    await folder.saveCheckpoint(this.#trained, this.#state).catch(async (error) => {
      throw error instanceof NotFiniteError ? await this.#explain(error.message) : error;
    });
    await this.#saveResults(folder);
  }

  /** Write report and weights again, unless they are those of the checkpoint; false if the signal interrupted it. */
  async #repairResults(): Promise<boolean> {
    const { folder } = this.#setup;
    if (!folder || (await folder.hasResultsOf(this.#progress.step))) return true;
    if (!(await this.#evaluate())) return false;
    await this.#saveResults(folder);
    return true;
  }

  #saveResults(folder: RunFolder): Promise<void> {
    const preprocessing = preprocessingOf(this.#setup.options, this.#setup.data);
    return folder.saveResults(this.#trained, this.#state, { evaluation: this.#evaluation, preprocessing });
  }

  get #state(): TrainingState {
    const { schedule } = this.#setup.options;
    const { seed, offset } = this.#setup.generator;
    const { step } = this.#progress;
    return {
      progress: this.#progress,
      resumeSettings: this.#start.resumeSettings,
      generator: { seed, offset },
      settings: this.#setup.settings,
      ...(schedule && { rates: Array.from({ length: step }, (_, step) => schedule(step)) }),
    };
  }
}
