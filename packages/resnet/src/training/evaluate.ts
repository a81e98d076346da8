import {
  add,
  autocast,
  checkOptions,
  compile,
  type Device,
  flip,
  mul,
  noGrad,
  type Precision,
  ShapeError,
  type Tensor,
  tensor,
} from "@shadegrad/tensor";
import { evaluate, type Layer, stateDict } from "@shadegrad/tensor/nn";
import { batches, type DataInput, datasetOf, type InputOptions } from "../data/index.ts";

export interface EvaluateOptions extends Pick<InputOptions, "crop" | "normalization"> {
  batchSize?: number;
  /** Number of images, from the first on; all if absent. */
  limit?: number | undefined;
  /** Precision of products: the device's own if absent. */
  precision?: Precision | undefined;
  /** True if logits are the mean over an image and its mirror image (test-time augmentation). */
  mirror?: boolean | undefined;
  /** True to return the logits of every image. */
  logits?: boolean;
  /** Called after each batch. */
  onProgress?: ((done: { images: number; of: number; imagesPerSecond: number }) => void) | undefined;
  /** Stops between two batches; the result covers the images so far. */
  signal?: AbortSignal | undefined;
}

const OPTIONS: readonly (keyof EvaluateOptions)[] = [
  "batchSize",
  "limit",
  "precision",
  "mirror",
  "logits",
  "onProgress",
  "signal",
  "crop",
  "normalization",
];

/** Accuracy and loss of a classifier on a data set. */
export interface Evaluation {
  readonly images: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  /** Share of the images, from 0 to 1, whose class has the highest score; of equal scores the first class counts. */
  readonly top1: number;
  /** The same for one of the five highest scores. */
  readonly top5: number;
  /** Names of the classes; their numbers where the data have no name. */
  readonly classes: readonly string[];
  /** `[classes, classes]`, row-major: the number of images of the row's class that were classified as the column's. */
  readonly confusion: Uint32Array;
  readonly imagesPerSecond: number;
  /** `[images, classes]`, in the data's order, if they were asked for. */
  readonly logits: Float32Array | undefined;
}

/** A batch whose logits are not read yet. */
interface Predicted {
  readonly logits: Tensor;
  readonly labels: Int32Array;
}

/**
 * Classify a data set, in its order and without gradients. The model stays in evaluation mode.
 *
 * @throws ShapeError if a label is no class of the model.
 */
export async function evaluateModel(
  model: Layer & object,
  data: DataInput,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkOptions("evaluateModel", options, OPTIONS);
  const { batchSize = 128, limit = Number.POSITIVE_INFINITY, onProgress, signal } = options;
  const dataset = await datasetOf(data);
  const of = Math.min(limit, dataset.length);
  const order = Uint32Array.from({ length: of }, (_, i) => i);
  const device = deviceOf(model);
  evaluate(model);

  const tally = new Tally(dataset.classes, of, options.logits ?? false);
  const start = performance.now();
  const imagesPerSecond = () => (tally.images * 1000) / Math.max(performance.now() - start, 1e-3);
  const finish = async (batch: Predicted | undefined) => {
    if (!batch) return;
    using logits = batch.logits;
    tally.add((await logits.data()) as Float32Array, batch.labels);
    onProgress?.({ images: tally.images, of, imagesPerSecond: imagesPerSecond() });
  };

  const { crop, normalization, precision = device.precision, mirror = false } = options;
  const logitsOf = (x: Tensor) =>
    mirror ? mul(add(model.forward(x), model.forward(flip(x, 2))), 0.5) : model.forward(x);
  const predict = compile((x: Tensor) => autocast(precision, () => noGrad(() => logitsOf(x))));
  let pending: Predicted | undefined;
  try {
    for await (const { images, shape, labels } of batches(dataset, {
      crop,
      normalization,
      batchSize,
      order,
    })) {
      if (signal?.aborted) break;
      using x = tensor(images, shape, { device });
      const before = pending;
      pending = { logits: await predict(x), labels };
      // The GPU works on this batch while the logits of the one before are read.
      await finish(before);
    }
    const last = pending;
    pending = undefined;
    await finish(last);
  } finally {
    pending?.logits.dispose();
    predict.dispose();
  }
  return tally.result(imagesPerSecond());
}

/** The device of a model's tensors. */
export function deviceOf(model: object): Device {
  const [first] = stateDict(model).values();
  if (!first) throw new ShapeError("the model holds no tensor, so it can be neither trained nor evaluated.");
  return first.device;
}

/** Counts right and wrong answers, in float64. */
class Tally {
  images = 0;
  #loss = 0;
  #right = 0;
  #among5 = 0;
  #names: readonly string[];
  #confusion = new Uint32Array(0);
  #logits: Float32Array | undefined;
  readonly #of: number;
  readonly #keep: boolean;

  constructor(names: readonly string[], of: number, keep: boolean) {
    this.#names = names;
    this.#of = of;
    this.#keep = keep;
  }

  add(scores: Float32Array, labels: Int32Array): void {
    const C = scores.length / labels.length;
    if (this.images === 0) this.#begin(C);
    this.#logits?.set(scores, this.images * C);
    labels.forEach((label, n) => {
      if (!(label >= 0 && label < C)) {
        throw new ShapeError(
          `evaluate: image ${this.images + n} has label ${label} but the model knows ${C} classes.`,
        );
      }
      this.#count(scores.subarray(n * C, (n + 1) * C), label);
    });
    this.images += labels.length;
  }

  #begin(C: number): void {
    this.#names = Array.from({ length: C }, (_, label) => this.#names[label] ?? String(label));
    this.#confusion = new Uint32Array(C * C);
    if (this.#keep) this.#logits = new Float32Array(this.#of * C);
  }

  #count(scores: Float32Array, label: number): void {
    const own = scores[label]!;
    let best = 0;
    let above = 0;
    for (let c = 0; c < scores.length; c++) {
      if (scores[c]! > scores[best]!) best = c;
      if (scores[c]! > own || (scores[c] === own && c < label)) above++;
    }
    const total = scores.reduce((sum, score) => sum + Math.exp(score - scores[best]!), 0);
    this.#loss += scores[best]! + Math.log(total) - own;
    // A NaN is above nothing, and right about nothing.
    if (!Number.isNaN(own)) {
      this.#right += Number(best === label);
      this.#among5 += Number(above < 5);
    }
    this.#confusion[label * scores.length + best]!++;
  }

  result(imagesPerSecond: number): Evaluation {
    const share = (count: number) => count / this.images;
    return {
      images: this.images,
      loss: share(this.#loss),
      top1: share(this.#right),
      top5: share(this.#among5),
      classes: this.#names,
      confusion: this.#confusion,
      imagesPerSecond,
      logits: this.#logits?.subarray(0, this.images * this.#names.length),
    };
  }
}
