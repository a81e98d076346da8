import { checkChoice, checkOptions } from "@shadegrad/tensor";
import type { Dataset, ImageShape, Normalization, Pixels } from "./dataset.ts";
import { Draws } from "./draws.ts";
import { channelScale } from "./normalize.ts";

/** Variations of an image, drawn each time that training sees it. */
export interface Augmentation {
  /** Pixels that are added on each side before a window is cut out at random. */
  pad?: number;
  /** Colour of the added pixels: the mean, or the image reflected at its edge (NumPy's "reflect"). The mean if absent. */
  edge?: "mean" | "reflect" | undefined;
  /**
   * `true` mirrors an image in each epoch with probability ½. `"alternate"` mirrors it in every second epoch, from the first or
   * the second on by chance, so that two epochs show both sides (Jordan 2024, section 3.6).
   */
  flip?: boolean | "alternate" | undefined;
}

/** Names of {@link Augmentation}. */
export const AUGMENTATION: readonly (keyof Augmentation)[] = ["pad", "edge", "flip"];

/** Place of a window in an image, in pixels, and a flag for mirroring. */
export interface Window {
  readonly top: number;
  readonly left: number;
  readonly mirrored: boolean;
}

/**
 * The augmentation that is given; undefined where it is none: undefined, null or false.
 *
 * @throws TypeError at anything else that is no options, and at options that there are not.
 */
export function augmentationOf(given: Augmentation | null | false | undefined): Augmentation | undefined {
  if (given === undefined || given === null || given === false) return undefined;
  checkOptions("augment", given, AUGMENTATION);
  return given;
}

/**
 * The window of image `i` in an epoch: it depends on the seed, the epoch and the image's number alone. Without an
 * augmentation it is in the centre.
 *
 * @param room rows and columns by which the padded image is larger than the window
 */
export function windowOf(
  augmentation: Augmentation | undefined,
  room: readonly [rows: number, cols: number],
  seed: number,
  epoch: number,
  i: number,
): Window {
  const augment = augmentationOf(augmentation);
  if (!augment) return { top: room[0] >> 1, left: room[1] >> 1, mirrored: false };
  const { pad = 0, edge = "mean", flip = false } = augment;
  checkChoice("augment", "edge", edge, ["mean", "reflect"]);
  checkChoice("augment", "flip", flip, [true, false, "alternate"]);
  const draws = new Draws(seed, epoch, i);
  const [top, left] = [draws.below(room[0] + 1) - pad, draws.below(room[1] + 1) - pad];
  if (flip === "alternate") return { top, left, mirrored: (new Draws(seed, i).below(2) + epoch) % 2 === 1 };
  return { top, left, mirrored: flip === true && draws.below(2) === 1 };
}

export interface InputOptions {
  /** Varied only if given. */
  augment?: Augmentation | undefined;
  /** Side of the square that is cut out: at random with `augment`, from the centre without. The whole image if absent. */
  crop?: number | undefined;
  /** Mean and deviation of the data set unless given; `false` for bytes as 0 … 1. */
  normalization?: Normalization | false | undefined;
  seed?: number;
}

/** Names of {@link InputOptions}. */
export const INPUT_OPTIONS: readonly (keyof InputOptions)[] = ["augment", "crop", "normalization", "seed"];

/** Writer of a net's input on the CPU: images of a data set cut out, mirrored, normalised. */
export interface InputWriter {
  readonly shape: ImageShape;
  /** Write image number `i`, as the epoch sees it, to `out` from `offset` on. */
  write(pixels: Pixels, out: Float32Array, offset: number, epoch: number, i: number): void;
}

/**
 * Pad-and-crop and mirroring as section 4.2 of the paper has them, and normalisation, in one pass over the pixels.
 *
 * The draws for an image depend on the seed, the epoch and its number, not on the batch it is in.
 *
 * @throws RangeError if the crop is larger than the padded image, or a list is not as long as there are channels.
 */
export function inputWriter(
  { shape: [H, W, C], normalization: usual }: Pick<Dataset, "shape" | "normalization">,
  { augment: given, crop, normalization = usual ?? false, seed = 0 }: InputOptions = {},
): InputWriter {
  const augment = augmentationOf(given);
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
  const { mean, std, table } = channelScale(C, normalization);
  if (augment?.edge === "reflect" && (pad >= H || pad >= W)) {
    throw new RangeError(
      `augment: pad is ${pad}, but an image of ${H} × ${W} reflects at most ${Math.min(H, W) - 1}.`,
    );
  }
  const writeReflected = (pixels: Pixels, out: Float32Array, offset: number, window: Window) => {
    const bytes = !(pixels instanceof Float32Array);
    for (let y = 0, to = offset; y < P; y++) {
      const row = reflected(window.top + y, H) * W;
      for (let x = 0; x < Q; x++) {
        const from = (row + reflected(window.left + (window.mirrored ? Q - 1 - x : x), W)) * C;
        for (let c = 0; c < C; c++, to++) {
          const value = pixels[from + c]!;
          out[to] = bytes ? table[256 * c + value]! : (value - mean[c]!) / std[c]!;
        }
      }
    }
  };

  return {
    shape: [P, Q, C],
    write(pixels, out, offset, epoch, i) {
      const { top, left, mirrored } = windowOf(augment, [rows, cols], seed, epoch, i);
      if (augment?.edge === "reflect") {
        writeReflected(pixels, out, offset, { top, left, mirrored });
        return;
      }
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

/** A position along an axis of `side` pixels, reflected at either end. */
function reflected(at: number, side: number): number {
  const positive = Math.abs(at);
  return positive < side ? positive : 2 * (side - 1) - positive;
}
