import type { Preprocessing } from "../checkpoints/index.ts";
import type { Dataset, Normalization, Pixels } from "../data/dataset.ts";

/** The same for pixels on a scale from 0 to 1, channel by channel in the net's order. */
export const normalizationOf = ({ range, mean, std }: Preprocessing): Normalization => ({
  mean: mean.map((value) => value / range),
  std: std.map((value) => value / range),
});

/** Pixels with their channels in the net's order. */
export function inOrder<P extends Pixels>(pixels: P, preprocessing: Preprocessing | undefined): P {
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
