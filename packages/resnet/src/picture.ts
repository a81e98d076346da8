import type { Preprocessing } from "./checkpoints/index.ts";
import { inputWriter } from "./data/augment.ts";
import { CIFAR10_NORMALIZATION } from "./data/cifar10.ts";
import type { Dataset, Normalization, Pixels } from "./data/dataset.ts";
import type { DecodedImage } from "./data/decode.ts";
import { IMAGENET_NORMALIZATION } from "./data/image-folder.ts";
import { cropCentre, resizeShorter } from "./data/resize.ts";
import type { ResNet } from "./zoo.ts";

/** A picture as a net takes it. */
export interface PictureInput {
  /** `[1, H, W, 3]`, normalised. */
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: readonly [1, number, number, 3];
  /** The square that was cut out of the picture. */
  readonly crop: DecodedImage;
}

/** Whether the net is made for photographs, or for CIFAR's 32 × 32 pixels. */
export const isForLarge = ({ options }: Pick<ResNet, "options">): boolean =>
  (options.firstKernelSize ?? 7) >= 7;

/**
 * Shrink a picture, cut out its middle and normalise that: 224² after 256 pixels for the shorter side, or 32².
 *
 * Without `preprocessing`, channels are scaled as ImageNet's or CIFAR's usually are.
 */
export function pictureInput(
  picture: DecodedImage,
  net: Pick<ResNet, "options">,
  preprocessing?: Preprocessing,
): PictureInput {
  const [shorter, side] = isForLarge(net) ? [256, 224] : [32, 32];
  const crop = cropCentre(resizeShorter(picture, shorter), side);
  const usual = isForLarge(net) ? IMAGENET_NORMALIZATION : CIFAR10_NORMALIZATION;
  const normalization = preprocessing ? normalizationOf(preprocessing) : usual;
  const data = new Float32Array(side * side * 3);
  const writer = inputWriter({ shape: [side, side, 3], normalization });
  writer.write(inOrder(crop.pixels, preprocessing), data, 0, 0, 0);
  return { data, shape: [1, side, side, 3], crop };
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
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers
    .map((power, i) => ({ class: i, label: labels[i] ?? `class ${i}`, probability: power / total }))
    .sort((a, b) => b.probability - a.probability);
}

/** The same for pixels on a scale from 0 to 1, channel by channel in the net's order. */
export const normalizationOf = ({ range, mean, std }: Preprocessing): Normalization => ({
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
