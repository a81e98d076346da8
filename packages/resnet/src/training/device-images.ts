import { cropImages, type Device, keep, type Tensor, tensor } from "@shadegrad/tensor";
import { inputWriter } from "../data/augment.ts";
import {
  type Augmentation,
  type Batch,
  type Dataset,
  ImageSet,
  type Normalization,
  windowOf,
} from "../data/index.ts";

export interface DeviceImagesOptions {
  readonly augment?: Augmentation | undefined;
  readonly crop?: number | undefined;
  readonly normalization?: Normalization | false | undefined;
  readonly seed: number;
}

/**
 * Images as bytes on the GPU, which crops, mirrors and normalizes them: a step uploads four numbers per image, no pixels.
 * The windows are those of the CPU path for the same seed; the values equal its values to rounding.
 */
export class DeviceImages {
  readonly #images: readonly [Tensor, Tensor];
  readonly #colours: Tensor;
  readonly #labels: ImageSet["labels"];
  readonly #shape: ImageSet["shape"];
  readonly #window: readonly [number, number];
  readonly #options: DeviceImagesOptions;

  constructor(data: ImageSet, device: Device, options: DeviceImagesOptions) {
    const [H, W, C] = data.shape;
    const { normalization = data.normalization ?? false } = options;
    // Checks of the CPU's way, whose errors are the same.
    const { shape } = inputWriter(data, options);
    const { mean, std } = normalization || { mean: Array(C).fill(0), std: Array(C).fill(1) };
    // Fours of images are whole words, whatever their size is.
    const middle = 4 * Math.ceil(data.length / 8) * H * W * C;
    this.#images = [data.images.subarray(0, middle), data.images.subarray(middle)].map((bytes, part) => {
      const size = part === 0 ? middle : bytes.length;
      const words = new Uint32Array(Math.max(1, Math.ceil(size / 4)));
      new Uint8Array(words.buffer).set(bytes);
      return keep(tensor(words, [words.length], { device }));
    }) as [Tensor, Tensor];
    const colours = [
      ...std.map((deviation) => 1 / 255 / deviation),
      ...mean.map((value, c) => -value / std[c]!),
    ];
    this.#colours = keep(tensor(Float32Array.from(colours), [2, C], { device }));
    this.#labels = data.labels;
    this.#shape = [H, W, C];
    this.#window = [shape[0], shape[1]];
    this.#options = options;
  }

  /** The batches of an epoch, from index `start` on. */
  async *batches({
    order,
    start,
    batchSize,
    epoch,
  }: {
    readonly order: Uint32Array;
    readonly start: number;
    readonly batchSize: number;
    readonly epoch: number;
  }): AsyncGenerator<Batch> {
    const [P, Q] = this.#window;
    for (let first = start * batchSize; first < order.length; first += batchSize) {
      const images = order.subarray(first, first + batchSize);
      yield {
        images: NOTHING,
        picks: this.#picks(images, epoch),
        labels: Int32Array.from(images, (i) => this.#labels[i]!),
        shape: [images.length, P, Q, this.#shape[2]],
      };
    }
  }

  /** Index, top, left and mirror flag of each image of a batch: `[N, 4]`. */
  #picks(images: ArrayLike<number>, epoch: number): Int32Array {
    const { augment, seed } = this.#options;
    const pad = augment?.pad ?? 0;
    const [H, W] = this.#shape;
    const room = [H + 2 * pad - this.#window[0], W + 2 * pad - this.#window[1]] as const;
    const picks = new Int32Array(4 * images.length);
    for (let k = 0; k < images.length; k++) {
      const { top, left, mirrored } = windowOf(augment, room, seed, epoch, images[k]!);
      picks.set([images[k]!, top, left, Number(mirrored)], 4 * k);
    }
    return picks;
  }

  /** picks i32 `[N, 4]` → `[N, P, Q, C]` */
  batch(picks: Tensor): Tensor {
    return cropImages(this.#images, picks, this.#colours, {
      shape: this.#shape,
      window: this.#window,
      edge: this.#options.augment?.edge === "reflect" ? "reflect" : "zero",
    });
  }

  dispose(): void {
    for (const images of this.#images) images.dispose();
    this.#colours.dispose();
  }
}

const NOTHING = new Float32Array(0);

/** @throws RangeError unless the data are bytes in memory. */
export function deviceImagesOf(data: Dataset, device: Device, options: DeviceImagesOptions): DeviceImages {
  if (data instanceof ImageSet && !(data.images instanceof Float32Array))
    return new DeviceImages(data, device, options);
  throw new RangeError("train: onDevice needs images that are bytes in memory, as in an ImageSet of bytes.");
}
