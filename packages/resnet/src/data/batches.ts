import { checkOptions } from "@shadegrad/tensor";
import { INPUT_OPTIONS, type InputOptions, inputWriter } from "./augment.ts";
import type { Dataset, ImageShape } from "./dataset.ts";

/** Images and labels of one step, ready to be uploaded. */
export interface Batch {
  /** `[N, H, W, C]`, normalised; empty where `picks` say which images on the GPU they are. */
  readonly images: Float32Array;
  /** Image, top and left of the window, and 1 for a mirrored one: `[N, 4]`. */
  readonly picks?: Int32Array | undefined;
  readonly shape: readonly [N: number, ...ImageShape];
  /** `[N]` */
  readonly labels: Int32Array;
}

export interface BatchOptions extends InputOptions {
  batchSize: number;
  /** Numbers of the images in the order in which they come; 0, 1, … if absent. */
  order?: ArrayLike<number> & Iterable<number>;
  /** Batches of the order that are skipped: where an interrupted epoch goes on. */
  start?: number;
  epoch?: number;
  /** Batches that are being read while another is used. */
  ahead?: number;
}

const OPTIONS: readonly (keyof BatchOptions)[] = [
  "batchSize",
  "order",
  "start",
  "epoch",
  "ahead",
  ...INPUT_OPTIONS,
];

/**
 * The images of a data set, a batch at a time; the last one has what is left.
 *
 * Reading, decoding and augmenting run ahead of whoever takes the batches, so that a GPU need not wait.
 *
 * @throws RangeError if the batch size is not ≥ 1.
 */
export async function* batches(data: Dataset, options: BatchOptions): AsyncGenerator<Batch, void, undefined> {
  checkOptions("batches", options, OPTIONS);
  const { batchSize, order, start = 0, epoch = 0, ahead = 2 } = options;
  if (!(Number.isInteger(batchSize) && batchSize >= 1)) {
    throw new RangeError(
      `batches: a batch of ${batchSize} images is not possible; it has to be a whole number ≥ 1.`,
    );
  }
  const writer = inputWriter(data, options);
  const length = order?.length ?? data.length;
  const size = writer.shape[0] * writer.shape[1] * writer.shape[2];

  const prepare = async (first: number): Promise<Batch> => {
    const n = Math.min(batchSize, length - first);
    const images = new Float32Array(n * size);
    const labels = new Int32Array(n);
    const place = (k: number, i: number, { image, label }: Awaited<ReturnType<Dataset["read"]>>) => {
      writer.write(image, images, k * size, epoch, i);
      labels[k] = label;
    };
    const waiting: Promise<void>[] = [];
    for (let k = 0; k < n; k++) {
      const i = order ? order[first + k]! : first + k;
      const example = data.read(i);
      if (example instanceof Promise) waiting.push(example.then((found) => place(k, i, found)));
      else place(k, i, example);
    }
    await Promise.all(waiting);
    return { images, labels, shape: [n, ...writer.shape] };
  };

  const ready: Promise<Batch>[] = [];
  let next = start * batchSize;
  while (next < length || ready.length > 0) {
    for (; next < length && ready.length <= ahead; next += batchSize) {
      const batch = prepare(next);
      batch.catch(() => {}); // thrown below, when its turn comes
      ready.push(batch);
    }
    yield await ready.shift()!;
  }
}
