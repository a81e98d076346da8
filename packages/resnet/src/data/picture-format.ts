/** A picture in memory: `[height, width, 3]`, red, green and blue from 0 to 255. */
export interface DecodedImage {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Formats of pictures that are decoded. */
export type PictureFormat = "avif" | "bmp" | "gif" | "jpeg" | "png" | "pnm" | "tiff" | "webp";

/** Formats that sharp decodes in Node. */
export type SharpFormat = Exclude<PictureFormat, "bmp" | "pnm">;

/** Beginnings of files, at a byte. */
const STARTS: readonly (readonly [start: string, format: PictureFormat, at?: number])[] = [
  ["\xff\xd8\xff", "jpeg"],
  ["\x89PNG\r\n\x1a\n", "png"],
  ["GIF8", "gif"],
  ["WEBP", "webp", 8],
  ["ftyp", "avif", 4],
  ["II*\0", "tiff"],
  ["MM\0*", "tiff"],
  ["BM", "bmp"],
  ["P2", "pnm"],
  ["P3", "pnm"],
  ["P5", "pnm"],
  ["P6", "pnm"],
];

/** The format that a file begins like; undefined for others, SVG among them, which no decoder is given. */
export const pictureFormat = (bytes: Uint8Array): PictureFormat | undefined =>
  STARTS.find(([start, , at = 0]) =>
    [...start].every((character, i) => bytes[at + i] === character.charCodeAt(0)),
  )?.[1];

/** Describe a file that is no picture, for a message. */
export function otherThanPicture(bytes: Uint8Array): string {
  const start = new TextDecoder()
    .decode(bytes.subarray(0, 256))
    .replace(/^\ufeff/, "")
    .trimStart();
  if (/^<(\?xml|!doctype svg|svg|!--)/i.test(start)) return "an SVG or another XML document";
  if (start.startsWith("<")) return "an HTML page";
  return "in an unsupported format";
}

/** Formats that `decodeImage` reads, for a message. */
export const PICTURE_FORMATS = "a JPEG, PNG, WebP, GIF, AVIF, TIFF, BMP or PPM";

/** The largest canvas that every browser has. A larger picture is decoded at reduced size, in Node as well. */
export const MAX_PIXELS = 2 ** 24;
const MAX_SIDE = 2 ** 14;

/** Bytes of memory that decoding may take beyond four for each byte of the file. */
export const FREE_BYTES = 64 * 2 ** 20;

/** Sides within the limits, in proportion: those of the picture itself unless it is larger. */
export function reducedSize(
  width: number,
  height: number,
  pixels: number = MAX_PIXELS,
): { width: number; height: number } {
  const scale = Math.min(1, Math.sqrt(pixels / (width * height)), MAX_SIDE / Math.max(width, height));
  const side = (length: number) => (scale < 1 ? Math.max(1, Math.floor(length * scale)) : length);
  return { width: side(width), height: side(height) };
}
