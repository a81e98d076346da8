import { checkOptions, Tensor } from "@shadegrad/tensor";
import type { DecodedImage } from "./decode.ts";

/** Bytes from 0 to 255, or floats that are taken as they are: `[H, W, C]`, row-major. */
export type Pixels = Uint8Array | Uint8ClampedArray | Float32Array;

/** Height, width and channels. */
export type ImageShape = readonly [H: number, W: number, C: number];

/** Mean that is subtracted from each channel, and deviation that it is divided by: of bytes, on a scale from 0 to 1. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Images of one size with their classes, read in any order: the interface of training data. */
export interface Dataset {
  readonly length: number;
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  readonly shape: ImageShape;
  /** Usual normalisation of its channels. */
  readonly normalization?: Normalization | undefined;
  /** Image `i` and its label; a promise where it has to be fetched or decoded. */
  read(i: number): Example | Promise<Example>;
}

export interface Example {
  readonly image: Pixels;
  readonly label: number;
}

/** An item of an iterable: pixels with their shape, a decoded image or a tensor, and a label. */
export type Sample =
  | { readonly image: DecodedImage | Tensor; readonly label: number }
  | { readonly image: Pixels; readonly shape: ImageShape; readonly label: number };

/** A data set, or anything that can be gone through once for its images and labels. */
export type DataInput = Dataset | Iterable<Sample> | AsyncIterable<Sample>;

/** Images that are all in memory. */
export class ImageSet implements Dataset {
  /** `[N, H, W, C]` */
  readonly images: Pixels;
  /** `[N]` */
  readonly labels: Uint8Array | Int32Array;
  readonly shape: ImageShape;
  readonly classes: readonly string[];
  readonly normalization: Normalization | undefined;

  /** @throws RangeError if the numbers of images, labels and classes do not fit. */
  constructor(options: ImageSetOptions) {
    checkOptions("ImageSet", options, IMAGE_SET_OPTIONS);
    const { images, labels, shape, classes, normalization } = options;
    const pixels = shape[0] * shape[1] * shape[2];
    if (images.length !== labels.length * pixels) {
      throw new RangeError(
        `ImageSet: ${images.length} values for ${labels.length} images of ${pixels}. An image is [${shape}] as [H, W, C].`,
      );
    }
    const wrong = labels.findIndex((label) => !(label >= 0 && label < classes.length));
    if (wrong >= 0) {
      throw new RangeError(
        `ImageSet: image ${wrong} has label ${labels[wrong]}, but there are ${classes.length} classes, from 0.`,
      );
    }
    this.images = images;
    this.labels = labels;
    this.shape = shape;
    this.classes = classes;
    this.normalization = normalization;
  }

  get length(): number {
    return this.labels.length;
  }

  read(i: number): Example {
    const [H, W, C] = this.shape;
    const size = H * W * C;
    return { image: this.images.subarray(i * size, (i + 1) * size), label: this.labels[i]! };
  }

  /** A view of the images from `start` up to, not including, `end`. */
  slice(start: number, end = this.length): ImageSet {
    const [H, W, C] = this.shape;
    const images = this.images.subarray(start * H * W * C, end * H * W * C);
    const { shape, classes, normalization } = this;
    return new ImageSet({ images, labels: this.labels.subarray(start, end), shape, classes, normalization });
  }
}

export interface ImageSetOptions {
  images: Pixels;
  labels: Uint8Array | Int32Array;
  shape: ImageShape;
  classes: readonly string[];
  normalization?: Normalization | undefined;
}

const IMAGE_SET_OPTIONS: readonly (keyof ImageSetOptions)[] = [
  "images",
  "labels",
  "shape",
  "classes",
  "normalization",
];

/** The data set itself, or all that an iterable gives, in memory. */
export async function datasetOf(data: DataInput): Promise<Dataset> {
  return "read" in data ? data : collect(data);
}

/**
 * Go through an iterable and keep its images. Classes are called by their numbers unless names are given.
 *
 * @throws RangeError if there are none, or they differ in shape.
 */
export async function collect(
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  options: { classes?: readonly string[]; normalization?: Normalization } = {},
): Promise<ImageSet> {
  checkOptions("collect", options, ["classes", "normalization"]);
  const { classes, normalization } = options;
  const images: Pixels[] = [];
  const labels: number[] = [];
  let shape: ImageShape | undefined;
  for await (const sample of samples) {
    const [pixels, own] = await pixelsOf(sample);
    shape ??= own;
    if (String(own) !== String(shape)) {
      throw new RangeError(
        `collect: image ${images.length} is [${own}] but the first is [${shape}] as [H, W, C].`,
      );
    }
    images.push(pixels);
    labels.push(sample.label);
  }
  if (!shape) throw new RangeError("collect: there is no image.");
  const size = shape[0] * shape[1] * shape[2];
  const bytes = images.every((image) => !(image instanceof Float32Array));
  const all = bytes ? new Uint8Array(images.length * size) : new Float32Array(images.length * size);
  images.forEach((image, i) => {
    all.set(
      bytes || image instanceof Float32Array ? image : Float32Array.from(image, (x) => x / 255),
      i * size,
    );
  });
  const count = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  return new ImageSet({
    images: all,
    labels: Int32Array.from(labels),
    shape,
    classes: classes ?? Array.from({ length: count }, (_, label) => String(label)),
    normalization,
  });
}

async function pixelsOf(sample: Sample): Promise<[Pixels, ImageShape]> {
  if ("shape" in sample) return [sample.image, sample.shape];
  const { image } = sample;
  if (!(image instanceof Tensor)) return [image.pixels, [image.height, image.width, 3]];
  if (image.shape.length !== 3) {
    throw new RangeError(`collect: an image has to be [H, W, C]. The tensor is [${image.shape}].`);
  }
  return [Float32Array.from(await image.data()), image.shape as unknown as ImageShape];
}
