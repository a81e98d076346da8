import { type Device, fromPixels, type PixelSource, pixelSize, type Tensor, tensor } from "@shadegrad/tensor";
import { decodeBitmap } from "./data/decode.ts";
import { onNode } from "./data/node.ts";
import { MAX_PIXELS } from "./data/picture-format.ts";
import { resizedCentre } from "./data/resize.ts";
import { inputOf, pictureInput, type TakesImages } from "./picture.ts";
import { isA, isDrawable, isImageData, type PictureSource, pictureOf } from "./picture-source.ts";

/**
 * A picture as a net takes it, on the net's device: as `pictureInput`, to ±1 of 255. In a page the pixels go to a GPU as a
 * texture, and kernels resize and normalize them; a software adapter would win nothing by that, and some browsers end it when
 * they are asked for such a copy. → f32 `[1, side, side, C]`
 */
export async function pictureTensor(
  source: PictureSource,
  net: TakesImages,
  device: Device,
): Promise<Tensor> {
  const drawn = onNode || device.adapter.software ? undefined : await drawnBy(source, device);
  if (!drawn) {
    const { data, shape } = pictureInput(await pictureOf(source), net);
    return tensor(data, shape, { device });
  }
  const { pixels, close } = drawn;
  try {
    return resized(pixels, net, device);
  } catch (error) {
    // A browser that decodes videos on the CPU may have no way from a frame to a texture.
    if (!(error instanceof DOMException && error.name === "OperationError")) throw error;
    const bitmap = await createImageBitmap(pixels as ImageBitmapSource);
    const x = resized(bitmap, net, device);
    bitmap.close();
    return x;
  } finally {
    close();
  }
}

function resized(pixels: PixelSource, net: TakesImages, device: Device): Tensor {
  const { shorter, side } = inputOf(net);
  const [width, height] = pixelSize(pixels);
  const { toWidth, toHeight, part } = resizedCentre(width, height, shorter, side);
  return fromPixels(pixels, { resize: [toHeight, toWidth], crop: part, colours: coloursOf(net), device });
}

interface Drawn {
  readonly pixels: PixelSource;
  /** Free what was decoded. */
  close(): void;
}

/** The form of a picture that the GPU can copy; undefined for one that only the CPU's way takes. */
async function drawnBy(source: PictureSource, device: Device): Promise<Drawn | undefined> {
  if (typeof source === "object" && "pixels" in source) return undefined;
  if (isImageData(source)) return { pixels: source, close() {} };
  if (isA(source, "SVGImageElement")) return undefined;
  if (isDrawable(source)) {
    const pixels = source as GPUCopyExternalImageSource;
    return fits(pixels, device) ? { pixels, close() {} } : undefined;
  }
  const bitmap = await decodeBitmap(source);
  if ("pixels" in bitmap) return undefined;
  const close = () => bitmap.close();
  if (fits(bitmap, device)) return { pixels: bitmap, close };
  close();
  return undefined;
}

/** True if the pixels fit a texture of the device; a larger picture is decoded at reduced size. */
function fits(pixels: PixelSource, device: Device): boolean {
  const [width, height] = pixelSize(pixels);
  const { maxTextureDimension2D } = device.gpu.limits;
  return Math.max(width, height) <= maxTextureDimension2D && width * height <= MAX_PIXELS;
}

/** Brightness of red, green and blue (ITU-R 601), as Pillow has it. */
const GREY = [0.299, 0.587, 0.114];

/** Weights of red, green and blue for each channel that the net takes, and the shift. `[4, C]` */
function coloursOf(net: TakesImages): number[][] {
  const { C, normalization } = inputOf(net);
  const { mean, std } = normalization;
  const isReversed = net.preprocessing?.channels === "bgr";
  const weight = (k: number, c: number) => (C === 1 ? GREY[k]! : Number(k === (isReversed ? 2 - c : c)));
  const channels = Array.from({ length: C }, (_, c) => c);
  return [
    ...[0, 1, 2].map((k) => channels.map((c) => weight(k, c) / 255 / std[c]!)),
    channels.map((c) => -mean[c]! / std[c]!),
  ];
}
