import { CIFAR10_NORMALIZATION } from "./data/cifar10.ts";
import type { Dataset, Normalization, Pixels } from "./data/dataset.ts";
import type { DecodedImage } from "./data/decode.ts";
import { IMAGENET_NORMALIZATION } from "./data/image-folder.ts";
import { normalized } from "./data/normalize.ts";
import { resizeCentre } from "./data/resize.ts";
import type { Preprocessing } from "./preprocessing.ts";

/** A picture as a net takes it. */
export interface PictureInput {
  /** `[1, H, W, C]`, normalised. */
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: readonly [1, number, number, 1 | 3];
  /** The square that was cut out of the picture. */
  readonly crop: DecodedImage;
}

/** A net, as far as its input is concerned. */
export interface TakesImages {
  readonly options: {
    readonly classes: number;
    readonly imgChannels?: number;
    readonly firstKernelSize?: number;
  };
  readonly preprocessing?: Preprocessing;
}

/** True if the net is made for photographs, false for CIFAR's 32 × 32 pixels. */
export const isForLarge = ({ options }: TakesImages): boolean => (options.firstKernelSize ?? 7) >= 7;

/**
 * Shrink a picture, cut out its middle and normalise that: 224² after 256 pixels for the shorter side, or 32². A net of one
 * channel takes it in grey.
 *
 * `preprocessing` is the net's own if absent; a net without it takes pixels normalized as is usual for ImageNet or CIFAR.
 *
 * @throws RangeError if the net takes neither one channel nor three.
 */
export function pictureInput(
  picture: DecodedImage,
  net: TakesImages,
  preprocessing: Preprocessing | undefined = net.preprocessing,
): PictureInput {
  const { C, shorter, side, normalization } = inputOf(net, preprocessing);
  const crop = resizeCentre(picture, shorter, side);
  const pixels = C === 1 ? grey(crop.pixels) : inOrder(crop.pixels, preprocessing);
  return { data: normalized(pixels, C, normalization), shape: [1, side, side, C], crop };
}

/** The input that a net takes: channels, the shorter side of the resized picture, the square cut out of it, and normalization. */
export function inputOf(net: TakesImages, preprocessing: Preprocessing | undefined = net.preprocessing) {
  const { imgChannels: C = 3 } = net.options;
  if (C !== 1 && C !== 3)
    throw new RangeError(`pictureInput: the net takes ${C} channels, but a picture has 3, or 1 in grey.`);
  const [shorter, side] = isForLarge(net) ? [256, 224] : [32, 32];
  const usual = isForLarge(net) ? IMAGENET_NORMALIZATION : CIFAR10_NORMALIZATION;
  const colours = preprocessing ? normalizationOf(preprocessing) : usual;
  return { C, shorter, side, normalization: C === 1 ? ofGrey(colours) : colours } as const;
}

/** Brightness as Pillow has it, by ITU-R 601: `[…, 3]` → `[…, 1]` */
export function grey(pixels: Pixels): Uint8Array | Float32Array {
  const bytes = !(pixels instanceof Float32Array);
  const out = bytes ? new Uint8Array(pixels.length / 3) : new Float32Array(pixels.length / 3);
  for (let i = 0, at = 0; i < out.length; i++, at += 3) {
    const [r, g, b] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
    out[i] = bytes ? (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16 : 0.299 * r + 0.587 * g + 0.114 * b;
  }
  return out;
}

/** The mean over the channels: the grey of a picture lies between its colours. */
function ofGrey({ mean, std }: Normalization): Normalization {
  const average = (values: readonly number[]) => [
    values.reduce((sum, value) => sum + value, 0) / values.length,
  ];
  return { mean: average(mean), std: average(std) };
}

/** A class, and how likely the net finds it. */
export interface Guess {
  readonly class: number;
  readonly label: string;
  readonly probability: number;
}

/** All classes with their probabilities, from their scores, the likeliest first. */
export function ranked(logits: ArrayLike<number>, labels: readonly string[]): Guess[] {
  const scores = Array.from(logits);
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = scores.map((score) => Math.exp(score - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers
    .map((power, i) => ({ class: i, label: labels[i] ?? `class ${i}`, probability: power / total }))
    .sort((a, b) => b.probability - a.probability);
}

/** The same for pixels on a scale from 0 to 1, channel by channel in the net's order. */
const normalizationOf = ({ range, mean, std }: Preprocessing): Normalization => ({
  mean: mean.map((value) => value / range),
  std: std.map((value) => value / range),
});

/** Pixels with their channels in the net's order. */
function inOrder<P extends Pixels>(pixels: P, preprocessing: Preprocessing | undefined): P {
  if (preprocessing?.channels !== "bgr") return pixels;
  const turned = pixels.slice() as P;
  for (let i = 0; i + 2 < turned.length; i += 3) {
    turned[i] = pixels[i + 2]!;
    turned[i + 2] = pixels[i]!;
  }
  return turned;
}

/** A data set of colours in grey, for a net of one channel. */
export function inGrey(data: Dataset): Dataset {
  const { length, classes, shape, normalization } = data;
  return {
    length,
    classes,
    shape: [shape[0], shape[1], 1],
    normalization: normalization && ofGrey(normalization),
    async read(i) {
      const { image, label } = await data.read(i);
      return { image: grey(image), label };
    },
  };
}

/** A data set as the net takes it. */
export function preprocessed(data: Dataset, preprocessing: Preprocessing | undefined): Dataset {
  if (!preprocessing) return data;
  const { length, classes, shape } = data;
  return {
    length,
    classes,
    shape,
    normalization: normalizationOf(preprocessing),
    async read(i) {
      const { image, label } = await data.read(i);
      return { image: inOrder(image, preprocessing), label };
    },
  };
}
