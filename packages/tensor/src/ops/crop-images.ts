import { cropImages as kernel } from "@shadegrad/kernels-wgsl/cropImages";
import { isInteger } from "../core/dtype.ts";
import { run } from "../core/run.ts";
import { checkShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { checkChoice, checkOptions, ShapeError } from "../errors.ts";

export interface CropImagesOptions {
  /** Height, width and channels of an image. */
  shape: readonly [H: number, W: number, C: number];
  /** Height and width of a window; the image's if absent. */
  window?: readonly [P: number, Q: number] | undefined;
  /** Values beyond an edge: 0, or the image reflected without its border repeated, as NumPy's pad mode "reflect". */
  edge?: "zero" | "reflect" | undefined;
}

/**
 * Windows of images that stay on the GPU as bytes, mirrored where asked: y = byte · scale[c] + shift[c]. No gradient.
 *
 * images u32 `[⌈N·H·W·C / 4⌉]`, four bytes to a word, the first one lowest; in two tensors where they are too many for one
 * binding, the first of whole images · picks i32 `[B, 4]`: image, top and left of the
 * window, which may lie beyond an edge, and 1 for a mirrored one · colours f32 `[2, C]`: scale, then shift → f32 `[B, P, Q, C]`
 *
 * @throws ShapeError if shapes or types are others.
 */
export function cropImages(
  images: Tensor | readonly [Tensor, Tensor],
  picks: Tensor,
  colours: Tensor,
  options: CropImagesOptions,
): Tensor {
  checkOptions("cropImages", options, ["shape", "window", "edge"]);
  const { shape, edge = "zero" } = options;
  checkShape("cropImages", shape);
  const { window = [shape[0], shape[1]] } = options;
  checkShape("cropImages", window);
  checkChoice("cropImages", "edge", edge, ["zero", "reflect"]);
  const [H, W, C] = shape;
  const [P, Q] = window;
  const [part, rest = part] = images instanceof Tensor ? [images] : images;
  const fail = (what: string) =>
    new ShapeError(
      `cropImages: ${what}. images is ${part.dtype} [${part.shape}]; picks is ${picks.dtype} [${picks.shape}] as [B, 4]; colours is ${colours.dtype} [${colours.shape}] as [2, C]; shape is [${shape}] as [H, W, C].`,
    );
  if (part.dtype !== "u32" || rest.dtype !== "u32")
    throw fail(`images are ${part.dtype}; they have to be u32 with four bytes to a word`);
  if (!isInteger(picks.dtype) || picks.shape.length !== 2 || picks.shape[1] !== 4)
    throw fail(`picks are ${picks.dtype} [${picks.shape}]; they have to be i32 [B, 4]`);
  if (String(colours.shape) !== String([2, C]))
    throw fail(`colours are [${colours.shape}] but images have ${C} channels, which need [2, ${C}]`);
  const first = Math.floor((4 * part.size) / (H * W * C));
  if (rest !== part && (4 * part.size) % (H * W * C) !== 0)
    throw fail(`the first ${4 * part.size} bytes are not whole images of ${H * W * C}`);
  const params = { B: picks.shape[0]!, H, W, C, P, Q, first };
  return run(kernel, params, [part, rest, picks, colours], [params.B, P, Q, C], {
    op: "cropImages",
    holes: { REFLECT: edge === "reflect" },
  });
}
