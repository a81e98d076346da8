import { pixelSize } from "@shadegrad/tensor";
import type { SourceInput } from "@shadegrad/tensor/formats";
import { type DecodedImage, decodeImage } from "./data/decode.ts";
import { reducedSize } from "./data/picture-format.ts";

/** A picture: a file by path, URL, Blob or bytes; in a page also whatever a canvas can draw; or decoded pixels. */
export type PictureSource = SourceInput | CanvasImageSource | ImageData | DecodedImage;

/** The pixels of a picture; transparency is composited over white. */
export async function pictureOf(source: PictureSource): Promise<DecodedImage> {
  if (typeof source === "object" && "pixels" in source) return source;
  if (isImageData(source)) return overWhite(source);
  if (!isDrawable(source)) return decodeImage(source);
  const { width, height } = reducedSize(...drawableSize(source));
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(source, 0, 0, width, height);
  return overWhite(context.getImageData(0, 0, width, height));
}

/** True if the value is of this class of the platform, which Node may not have. */
export const isA = (value: unknown, name: string): boolean => {
  const type = (globalThis as Record<string, unknown>)[name];
  return typeof type === "function" && value instanceof type;
};

export const isImageData = (source: PictureSource): source is ImageData => isA(source, "ImageData");

const DRAWABLE = [
  "HTMLImageElement",
  "SVGImageElement",
  "HTMLVideoElement",
  "HTMLCanvasElement",
  "OffscreenCanvas",
  "ImageBitmap",
  "VideoFrame",
];

export const isDrawable = (source: PictureSource): source is CanvasImageSource =>
  DRAWABLE.some((name) => isA(source, name));

/** Natural size of an image, a video or a frame in pixels; size of a canvas or a bitmap. */
const drawableSize = (source: CanvasImageSource): [width: number, height: number] =>
  pixelSize(source as GPUCopyExternalImageSource);

function overWhite({ data, width, height }: ImageData): DecodedImage {
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const alpha = data[from + 3]! / 255;
    for (let c = 0; c < 3; c++) pixels[to + c] = Math.round(255 + alpha * (data[from + c]! - 255));
  }
  return { pixels, width, height };
}
