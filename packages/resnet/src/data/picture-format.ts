import { FormatError } from "@shadegrad/tensor";

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
export const MAX_SIDE = 2 ** 14;

/** Pixels that a file may have: so many, and more for each of its bytes. */
interface Allowance {
  readonly free: number;
  readonly perByte: number;
}

/**
 * Pixels that a decoder is trusted with. A pixel takes it 4 bytes (TIFF) to 18 (AVIF), and 8 of one block of a flat JPEG
 * a bit. Flat pictures have no limit in WebP and AVIF.
 */
const ALLOWANCES: Readonly<Record<Exclude<SharpFormat, "png">, Allowance>> = {
  jpeg: { free: 2 ** 22, perByte: 1000 },
  webp: { free: 2 ** 22, perByte: 1000 },
  gif: { free: 2 ** 22, perByte: 1000 },
  tiff: { free: 2 ** 22, perByte: 1000 },
  avif: { free: 2 ** 21, perByte: 1000 },
};

/** Bytes that Deflate makes of one, at most (RFC 1951: 258 bytes from 2 bits). */
const DEFLATED = 1032;
/** Channels of a PNG by its colour type. */
const PNG_CHANNELS = [1, 0, 3, 1, 2, 0, 4];

/**
 * Compare a picture's sides with its file, before memory is taken for them.
 *
 * @throws FormatError if it has more pixels than a file of its size can be meant to have.
 */
export function checkPixels(width: number, height: number, bytes: Uint8Array, format: SharpFormat): void {
  const most = format === "png" ? mostOfPng(bytes) : mostOf(ALLOWANCES[format], bytes.length);
  if (width * height > most)
    throw new FormatError(
      `it has ${width} × ${height} pixels in ${bytes.length} bytes, expected at most ${Math.floor(most)} pixels`,
    );
}

const mostOf = ({ free, perByte }: Allowance, bytes: number): number => free + perByte * bytes;

/** Its header says how many bits a pixel has. */
function mostOfPng(bytes: Uint8Array): number {
  const [depth = 1, type = 0] = bytes.subarray(24, 26);
  return (8 * DEFLATED * bytes.length) / ((PNG_CHANNELS[type] || 1) * (depth || 1));
}

/** Sides within the limits, in proportion: those of the picture itself unless it is larger. */
export function reducedSize(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, Math.sqrt(MAX_PIXELS / (width * height)), MAX_SIDE / Math.max(width, height));
  const side = (length: number) => (scale < 1 ? Math.max(1, Math.floor(length * scale)) : length);
  return { width: side(width), height: side(height) };
}
