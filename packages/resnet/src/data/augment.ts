import type { Dataset, ImageShape, Normalization, Pixels } from "./dataset.ts";
import { Draws } from "./draws.ts";

/** How an image is varied each time that training sees it. */
export interface Augmentation {
  /** Pixels of the mean colour that are added on each side before a window is cut out at random. */
  pad?: number;
  /** Whether every second image, by chance, is mirrored. */
  flip?: boolean;
}

export interface InputOptions {
  /** Varied only if given. */
  augment?: Augmentation | undefined;
  /** Side of the square that is cut out: at random with `augment`, from the centre without. The whole image if absent. */
  crop?: number | undefined;
  /** As the data set says unless given; `false` for bytes as 0 … 1. */
  normalization?: Normalization | false | undefined;
  seed?: number;
}

/** How the images of a data set become the input of a net, on the CPU: cut out, mirrored, normalised. */
export interface InputWriter {
  readonly shape: ImageShape;
  /** Write image number `i`, as the epoch sees it, to `out` from `offset` on. */
  write(pixels: Pixels, out: Float32Array, offset: number, epoch: number, i: number): void;
}

/**
 * Pad-and-crop and mirroring as section 4.2 of the paper has them, and normalisation, in one pass over the pixels.
 *
 * What is drawn for an image depends on the seed, the epoch and its number, not on the batch it is in.
 *
 * @throws RangeError if the crop is larger than the padded image, or a list is not as long as there are channels.
 */
export function inputWriter(
  { shape: [H, W, C], normalization: usual }: Pick<Dataset, "shape" | "normalization">,
  { augment, crop, normalization = usual ?? false, seed = 0 }: InputOptions = {},
): InputWriter {
  const pad = augment?.pad ?? 0;
  const [P, Q] = crop === undefined ? [H, W] : [crop, crop];
  const [rows, cols] = [H + 2 * pad - P, W + 2 * pad - Q];
  if (!(Number.isInteger(pad) && pad >= 0))
    throw new RangeError(`augment: pad is ${pad}, not a whole number ≥ 0.`);
  if (!(Number.isInteger(P) && P > 0 && rows >= 0 && cols >= 0)) {
    throw new RangeError(
      `augment: a crop of ${crop} does not fit. Images are [${H}, ${W}, ${C}] as [H, W, C], with ${pad} added on each side.`,
    );
  }
  const { mean, std } = normalization || { mean: Array(C).fill(0), std: Array(C).fill(1) };
  if (mean.length !== C || std.length !== C || std.some((deviation) => !(deviation > 0))) {
    throw new RangeError(
      `normalize: mean is [${mean}] and std [${std}], for ${C} channels of positive deviation.`,
    );
  }
  const table = Float32Array.from({ length: 256 * C }, (_, i) => {
    const c = Math.floor(i / 256);
    return ((i % 256) / 255 - mean[c]!) / std[c]!;
  });

  return {
    shape: [P, Q, C],
    write(pixels, out, offset, epoch, i) {
      const draws = augment && new Draws(seed, epoch, i);
      const top = (draws ? draws.below(rows + 1) : rows >> 1) - pad;
      const left = (draws ? draws.below(cols + 1) : cols >> 1) - pad;
      const mirrored = draws !== undefined && augment?.flip === true && draws.below(2) === 1;
      // The columns of the window that the image has: the rest is padding, the mean, which is 0.
      const [first, end] = [Math.max(0, -left), Math.min(Q, W - left)];
      const fill = first > 0 || end < Q || top < 0 || top + P > H;
      if (fill) out.fill(0, offset, offset + P * Q * C);
      const bytes = !(pixels instanceof Float32Array);
      const step = mirrored ? -C : C;
      for (let y = Math.max(0, -top); y < Math.min(P, H - top); y++) {
        let from = ((y + top) * W + first + left) * C;
        let to = offset + (y * Q + (mirrored ? Q - 1 - first : first)) * C;
        for (let x = first; x < end; x++) {
          for (let c = 0; c < C; c++) {
            const value = pixels[from++]!;
            out[to + c] = bytes ? table[256 * c + value]! : (value - mean[c]!) / std[c]!;
          }
          to += step;
        }
      }
    },
  };
}
