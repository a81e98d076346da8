import { FormatError } from "@shadegrad/tensor";
import { openSource, type SourceInput } from "@shadegrad/tensor/formats";
import { onNode } from "./node.ts";
import {
  type DecodedImage,
  otherThanPicture,
  PICTURE_FORMATS,
  type PictureFormat,
  pictureFormat,
  reducedSize,
} from "./picture-format.ts";
import { resize } from "./resize.ts";
import { rgb } from "./rgb.ts";

export type { DecodedImage };

/**
 * Decode a picture: by sharp in Node, by the browser in a page. Upright, as its EXIF data say; transparency over white. One
 * of more than 2²⁴ pixels, or of a side of more than 2¹⁴, is reduced to that. In Node, one of
 * less than a byte for 100 pixels is reduced further where decoding would take more than 64 MiB and four times the file, and refused
 * where it would take more even so.
 *
 * JPEG, PNG, WebP, GIF (the first frame), AVIF, BMP and PPM; TIFF in Node.
 *
 * @throws FormatError if the file is empty, truncated, damaged or no picture of these; Error if it cannot be read.
 */
export const decodeImage = (input: SourceInput): Promise<DecodedImage> => decodeWith(input, decode);

/**
 * A picture as a browser's bitmap, which goes to the GPU without the CPU reading its pixels; those of a PPM, which no browser
 * decodes. As {@link decodeImage}, but transparent where the file is. For pages and workers.
 *
 * @throws Error where there are no bitmaps, as in Node.
 */
export async function decodeBitmap(input: SourceInput): Promise<ImageBitmap | DecodedImage> {
  if (typeof createImageBitmap !== "function")
    throw new Error("decodeBitmap: there are no bitmaps outside of browsers; decodeImage decodes here too.");
  return decodeWith(input, async (bytes, format) =>
    format === "pnm" ? plainPicture(bytes) : bitmapByBrowser(bytes, format),
  );
}

type Decoder<T> = (bytes: Uint8Array<ArrayBuffer>, format: PictureFormat) => Promise<T>;

async function decodeWith<T>(input: SourceInput, decoder: Decoder<T>): Promise<T> {
  const name = typeof input === "string" || input instanceof URL ? String(input) : "the image";
  const source = await openSource(input);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = (await source.read(0, source.size ?? MOST_BYTES)) as Uint8Array<ArrayBuffer>;
  } finally {
    await source.close();
  }
  if (bytes.length === 0) throw new FormatError(`decode: ${name} is empty.`);
  const format = pictureFormat(bytes);
  if (!format)
    throw new FormatError(
      `decode: ${name} is no picture that can be read: it is ${otherThanPicture(bytes)}, expected ${PICTURE_FORMATS}.`,
    );
  // Before the picture is looked at: a decoder that is not there is no fault of the picture.
  if (onNode && format !== "pnm" && format !== "bmp") await (await inNode()).sharpDecoder();
  try {
    return await decoder(bytes, format);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : cause;
    throw new FormatError(`decode: ${name} is no picture that can be read: ${reason}.`, { cause });
  }
}

const MOST_BYTES = 2 ** 31 - 1;

async function decode(bytes: Uint8Array<ArrayBuffer>, format: PictureFormat): Promise<DecodedImage> {
  if (format === "pnm") return plainPicture(bytes);
  if (!onNode) return decodeByBrowser(bytes, format);
  if (format === "bmp") return reduced(await (await import("./bmp.ts")).decodeBmp(bytes));
  return (await inNode()).decodeBySharp(bytes, format);
}

const plainPicture = async (bytes: Uint8Array): Promise<DecodedImage> =>
  reduced((await import("./pnm.ts")).decodePnm(bytes));

/** The picture within the limits. */
function reduced(picture: DecodedImage): DecodedImage {
  const { width, height } = reducedSize(picture.width, picture.height);
  return width === picture.width && height === picture.height ? picture : resize(picture, width, height);
}

/** Readers that pages do not download. */
const inNode = () => import("./decode-node.ts");

async function bitmapByBrowser(bytes: Uint8Array<ArrayBuffer>, format: PictureFormat): Promise<ImageBitmap> {
  if (format === "jpeg" && !hasEnd(bytes)) throw new FormatError("it ends before its last pixel");
  const blob = new Blob([bytes]);
  const bitmap = await createImageBitmap(blob);
  const { width, height } = reducedSize(bitmap.width, bitmap.height);
  if (width === bitmap.width && height === bitmap.height) return bitmap;
  bitmap.close();
  return createImageBitmap(blob, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
}

async function decodeByBrowser(bytes: Uint8Array<ArrayBuffer>, format: PictureFormat): Promise<DecodedImage> {
  const bitmap = await bitmapByBrowser(bytes, format);
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  // A canvas is blank, without an error, if memory is short.
  if (data[3] !== 255 || data.at(-1) !== 255)
    throw new FormatError(`its ${width} × ${height} pixels are more than this browser can draw`);
  return { width, height, pixels: rgb(data, 4) };
}

/** True if a JPEG has its end marker after its first scan: browsers fill up one that is truncated. */
function hasEnd(jpeg: Uint8Array): boolean {
  let scan = 2;
  while (jpeg[scan] === 0xff && jpeg[scan + 1] !== 0xda) scan += 2 + 256 * jpeg[scan + 2]! + jpeg[scan + 3]!;
  for (let i = jpeg.length - 2; i > scan; i--) if (jpeg[i] === 0xff && jpeg[i + 1] === 0xd9) return true;
  return false;
}
