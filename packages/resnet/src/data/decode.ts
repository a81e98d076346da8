import { FormatError } from "@shadegrad/tensor";
import { openSource, type SourceInput } from "@shadegrad/tensor/formats";
import { onNode } from "./node.ts";

/** A picture in memory: `[height, width, 3]`, red, green and blue from 0 to 255. */
export interface DecodedImage {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Decode a JPEG, PNG or WebP: by sharp in Node, by the browser in a page. Upright, as its EXIF data say; without alpha.
 *
 * @throws FormatError if the file is empty, damaged or no picture; Error if it cannot be read.
 */
export async function decodeImage(input: SourceInput): Promise<DecodedImage> {
  const name = typeof input === "string" || input instanceof URL ? String(input) : "the image";
  const source = await openSource(input);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = (await source.read(0, source.size ?? MOST)) as Uint8Array<ArrayBuffer>;
  } finally {
    await source.close();
  }
  if (bytes.length === 0) throw new FormatError(`decode: ${name} is empty.`);
  try {
    return onNode ? await decodeBySharp(bytes) : await decodeByBrowser(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : cause;
    throw new FormatError(`decode: ${name} is no picture that can be read: ${reason}.`, { cause });
  }
}

const MOST = 2 ** 31 - 1;

let sharpModule: Promise<{ default: typeof import("sharp").default }> | undefined;

async function decodeBySharp(bytes: Uint8Array): Promise<DecodedImage> {
  const name = "sharp"; // a variable, so that no bundler follows it into the browser
  sharpModule ??= import(/* @vite-ignore */ name);
  const { default: sharp } = await sharpModule;
  const { data, info } = await sharp(bytes)
    .autoOrient()
    .toColourspace("srgb")
    .removeAlpha()
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { width, height, pixels: channels === 3 ? pixels : rgb(pixels, channels) };
}

async function decodeByBrowser(bytes: Uint8Array<ArrayBuffer>): Promise<DecodedImage> {
  const bitmap = await createImageBitmap(new Blob([bytes]), { premultiplyAlpha: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, pixels: rgb(context.getImageData(0, 0, width, height).data, 4) };
}

/** Grey three times, or colours without what follows them. */
function rgb(from: ArrayLike<number>, channels: number): Uint8Array {
  const pixels = new Uint8Array((from.length / channels) * 3);
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
  for (let i = 0, at = 0; i < pixels.length; i += 3, at += channels) {
    pixels[i] = from[at]!;
    pixels[i + 1] = from[at + green]!;
    pixels[i + 2] = from[at + blue]!;
  }
  return pixels;
}
