import { type Kernel, strided } from "../launch/kernel.ts";
import { triangle } from "../resampleRows/index.ts";
import source from "./resamplePixels.wgsl?raw";

/**
 * R rows from row `first` on, of Q pixels from pixel `left` on, where W pixels become `to`. S words lie between two rows of
 * the picture; C channels come out.
 */
export type ResamplePixelsParams = Record<"W" | "S" | "to" | "left" | "first" | "R" | "Q" | "C", number>;

/**
 * Pixels as bytes over white, resized along their rows by Pillow's bilinear filter, and their colours mixed.
 *
 * Holes: `Elem`, the type of y; `PREMULTIPLIED`, whether colours are already multiplied by alpha.
 */
export const resamplePixels: Kernel<ResamplePixelsParams> = {
  name: "resamplePixels",
  reads: ["pixels", "colours"],
  writes: ["y"],
  types: { pixels: "u32", colours: "f32" },
  params: { W: "u32", S: "u32", to: "u32", left: "u32", first: "u32", R: "u32", Q: "u32", C: "u32" },
  variants: { plain: { name: "scalar", source, workgroups: ({ R, Q }) => strided(R * Q, 64) } },
  cost: ({ W, to, R, Q, C }) => {
    const pixels = R * Q * Math.max(1, W / to);
    return { flops: 8 * pixels + 6 * R * Q * C, bytes: 4 * pixels + 4 * R * Q * C };
  },
};

/** The definition, in float64. */
export function resamplePixelsReference(
  words: ArrayLike<number>,
  colours: ArrayLike<number>,
  { W, S, to, left, first, R, Q, C }: ResamplePixelsParams,
  premultiplied: boolean,
): Float64Array {
  const y = new Float64Array(R * Q * C);
  const over = (word: number, channel: number) => {
    const alpha = word >>> 24;
    const colour = (word >>> (8 * channel)) & 0xff;
    return (premultiplied ? colour : Math.round((colour * alpha) / 255)) + 255 - alpha;
  };
  for (let i = 0, at = 0; i < R; i++)
    for (let j = 0; j < Q; j++) {
      const { first: from, shares } = triangle(left + j, W, to);
      const row = (first + i) * S + from;
      const rgb = [0, 1, 2].map((channel) =>
        shares.reduce((sum, part, k) => sum + part * over(words[row + k]!, channel), 0),
      );
      for (let c = 0; c < C; c++, at++)
        y[at] = rgb.reduce((sum, value, k) => sum + value * colours[k * C + c]!, colours[3 * C + c]!);
    }
  return y;
}
