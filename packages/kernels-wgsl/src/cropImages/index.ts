import { type Kernel, strided } from "../launch/kernel.ts";
import source from "./cropImages.wgsl?raw";

/** B windows of P × Q pixels out of images [H, W, C], of which `first` lie in the first buffer. */
export type CropImagesParams = Record<"B" | "H" | "W" | "C" | "P" | "Q" | "first", number>;

/**
 * Windows of images that are bytes on the GPU, mirrored where asked, with each channel scaled and shifted.
 *
 * Holes: `Elem`, the type of y; `REFLECT`, whether an image goes on beyond its edges as its mirror image, or with 0.
 */
export const cropImages: Kernel<CropImagesParams> = {
  name: "cropImages",
  reads: ["images", "more", "picks", "colours"],
  writes: ["y"],
  types: { images: "u32", more: "u32", picks: "i32", colours: "f32" },
  params: { B: "u32", H: "u32", W: "u32", C: "u32", P: "u32", Q: "u32", first: "u32" },
  variants: {
    plain: {
      name: "scalar",
      source,
      workgroups: ({ B, P, Q, C }) => strided(B * P * Q * C, 256),
    },
  },
  cost: ({ B, P, Q, C }) => ({ flops: 2 * B * P * Q * C, bytes: 5 * B * P * Q * C }),
};

/** The definition, in float64. */
export function cropImagesReference(
  bytes: ArrayLike<number>,
  picks: ArrayLike<number>,
  colours: ArrayLike<number>,
  { B, H, W, C, P, Q }: Omit<CropImagesParams, "first">,
  reflect: boolean,
): Float64Array {
  const y = new Float64Array(B * P * Q * C);
  const reflected = (at: number, side: number) => {
    const positive = Math.abs(at);
    return positive >= side ? 2 * (side - 1) - positive : positive;
  };
  for (let b = 0, to = 0; b < B; b++) {
    const [n, top, left, mirrored] = [0, 1, 2, 3].map((k) => picks[4 * b + k]!) as [
      number,
      number,
      number,
      number,
    ];
    for (let i = 0; i < P; i++)
      for (let j = 0; j < Q; j++) {
        let [h, v] = [top + i, left + (mirrored === 1 ? Q - 1 - j : j)];
        if (reflect) [h, v] = [reflected(h, H), reflected(v, W)];
        for (let c = 0; c < C; c++, to++)
          if (h >= 0 && h < H && v >= 0 && v < W)
            y[to] = bytes[((n * H + h) * W + v) * C + c]! * colours[c]! + colours[C + c]!;
      }
  }
  return y;
}
