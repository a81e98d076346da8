import { decodedSize } from "./decoder-memory.ts";
import type { DecodedImage, SharpFormat } from "./picture-format.ts";
import { rgb } from "./rgb.ts";

/** More pixels than any camera's picture has. */
const MOST_PIXELS = 300e6;

let sharpModule: Promise<{ default: typeof import("sharp").default }> | undefined;

/** The optional peer that decodes pictures in Node. */
export async function sharpDecoder() {
  const name = "sharp"; // a variable, so that no bundler follows it into the browser
  sharpModule ??= import(/* @vite-ignore */ name);
  try {
    return (await sharpModule).default;
  } catch (cause) {
    sharpModule = undefined;
    const isAbsent = (cause as { code?: string }).code === "ERR_MODULE_NOT_FOUND";
    const advice = isAbsent ? "it is not installed here: npm install sharp" : (cause as Error).message;
    throw new Error(`decode: in Node, pictures are decoded by the package sharp; ${advice}`, { cause });
  }
}

/** Decode the bytes of a picture by sharp: upright, over white, reduced where it is too large. */
export async function decodeBySharp(bytes: Uint8Array, format: SharpFormat): Promise<DecodedImage> {
  const sharp = await sharpDecoder();
  // A decoder's warnings are no errors: a picture that ends too early is.
  const image = sharp(bytes, { failOn: "error", limitInputPixels: MOST_PIXELS }).autoOrient();
  const header = await image.metadata();
  const { autoOrient } = header;
  const size = decodedSize(header, bytes, format);
  if (size.width !== autoOrient.width || size.height !== autoOrient.height)
    image.resize({ ...size, fit: "fill" });
  const { data, info } = await image
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .removeAlpha()
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { width, height, pixels: channels === 3 ? pixels : rgb(pixels, channels) };
}
