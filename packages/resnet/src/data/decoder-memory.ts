import { FormatError } from "@shadegrad/tensor";
import type { Metadata } from "sharp";
import { FREE_BYTES, MAX_PIXELS, reducedSize, type SharpFormat } from "./picture-format.ts";

/** Header of a picture, as far as memory depends on it. */
export type PictureHeader = Pick<
  Metadata,
  | "width"
  | "height"
  | "channels"
  | "depth"
  | "isProgressive"
  | "chromaSubsampling"
  | "orientation"
  | "pages"
  | "autoOrient"
>;

/** Pixels for each byte up to which a picture is decoded at its own size: photographs have 2 to 60. */
const DETAILED = 100;
/** Pixels for each byte up to which no picture is refused. A JPEG has at most 512 (a bit for each block of 64). */
const FLAT = 1000;
/** The largest picture that has more pixels than that: it takes about a second. */
const MOST_FLAT = 2 ** 26;
/** Pixels to which a picture may be reduced where memory is short. */
const REDUCED = 2 ** 19;

/** Rows that libvips holds when it resizes a picture: some always, and more of a high one. Measured with libvips 8.18, two threads. */
const ROWS = 220;
const MORE_ROWS = 1780;

/** Bytes that Deflate makes of one, at most (RFC 1951: 258 bytes from 2 bits). */
const DEFLATED = 1032;

/** Bytes that a decoder takes. Measured on flat pictures of 4 to 130 million pixels. */
interface DecoderBytes {
  /** For each pixel of the picture. */
  readonly whole: number;
  /** For each pixel of the rows that are held. */
  readonly row: number;
  /** For each pixel of the result. */
  readonly out: number;
}

/**
 * Sides at which a picture is decoded: its own, unless it has more than 2²⁴ pixels, or a side of more than 2¹⁴. A picture
 * of few bytes for its pixels is plain or hostile: it is reduced further where decoding would take more than 64 MiB and four times
 * the file.
 *
 * @throws FormatError if it has many more pixels than bytes, and would take more even so.
 */
export function decodedSize(
  header: PictureHeader,
  bytes: Uint8Array,
  format: SharpFormat,
): { width: number; height: number } {
  const { width, height } = header.autoOrient;
  const pixels = width * height;
  const { whole, row, out } = decoderBytes(header, bytes, format);
  const most = FREE_BYTES + 4 * bytes.length;
  const check = (count: number, limit: number, unit: string) => {
    if (count > limit)
      throw new FormatError(
        `it has ${width} × ${height} pixels in ${bytes.length} bytes, expected at most ${Math.floor(limit)} ${unit}`,
      );
  };
  if (format === "png") check(pixels, mostOfPng(bytes), "pixels");
  check(header.width, most / ROWS / row, "columns");
  if (pixels <= DETAILED * bytes.length) return reducedSize(width, height);

  const left = most - (ROWS + Math.min(header.height, MORE_ROWS)) * header.width * row;
  const fitting = Math.min(MOST_FLAT, (left - REDUCED * out) / whole);
  check(pixels, Math.max(FLAT * bytes.length, fitting), "pixels");
  const reduced = Math.max(REDUCED, (left - whole * pixels) / out);
  return reducedSize(width, height, Math.min(MAX_PIXELS, reduced));
}

function decoderBytes(header: PictureHeader, bytes: Uint8Array, format: SharpFormat): DecoderBytes {
  const depth = DEPTHS[header.depth] ?? 4;
  const pixel = header.channels * depth;
  // A picture that is turned is copied before.
  const copy = (header.orientation ?? 1) > 1 ? pixel : 0;
  switch (format) {
    case "png":
      return { whole: copy + (header.isProgressive ? 1.4 * pixel : 0), row: pixel, out: 3 };
    case "tiff":
      return { whole: copy + (isTiled(bytes) ? pixel : 0), row: pixel, out: 3 };
    case "jpeg":
      // libjpeg reduces it by 2, 4 or 8 itself; of a progressive one it holds all coefficients.
      return { whole: copy + (header.isProgressive ? coefficientBytes(header) : 0), row: pixel / 4, out: 3 };
    case "webp":
      // libwebp reduces it itself, but holds all pixels of a lossless one, and two canvases of an animation.
      return { whole: copy + (isLossy(bytes) ? 0 : 4) + ((header.pages ?? 1) > 1 ? 8 : 0), row: 1, out: 15 };
    case "gif":
      return { whole: copy + 6.5, row: 4, out: 3 };
    case "avif":
      return { whole: copy + 20 * depth, row: 0, out: 1 };
  }
}

/** Bytes of a number. */
const DEPTHS: Readonly<Record<string, number>> = {
  ...{ uchar: 1, char: 1, ushort: 2, short: 2, uint: 4, int: 4, float: 4 },
  ...{ double: 8, complex: 8, dpcomplex: 16 },
};

/** Two bytes for each coefficient, of which the colours of a JPEG have fewer than its brightness. */
function coefficientBytes({ channels, chromaSubsampling: sampling = "" }: PictureHeader): number {
  if (channels !== 3) return 2 * channels;
  return sampling.startsWith("4:2:0") ? 3 : sampling.startsWith("4:2:2") ? 4 : 6;
}

/** True if the first chunk of a WebP is a lossy picture, with nothing beside it. */
const isLossy = (webp: Uint8Array): boolean => String.fromCharCode(...webp.subarray(12, 16)) === "VP8 ";

/** True if the first picture of a TIFF is in tiles, of which one may be as large as the picture. */
function isTiled(tiff: Uint8Array): boolean {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.length);
  const isLittle = tiff[0] === 0x49;
  const start = view.getUint32(4, isLittle);
  if (start + 2 > tiff.length) return false;
  const count = view.getUint16(start, isLittle);
  for (let at = start + 2; at < start + 2 + 12 * count && at + 2 <= tiff.length; at += 12)
    if (view.getUint16(at, isLittle) === TILE_WIDTH) return true;
  return false;
}

/** Tag of a TIFF. */
const TILE_WIDTH = 322;

/** Channels of a PNG by its colour type. */
const PNG_CHANNELS = [1, 0, 3, 1, 2, 0, 4];

/** Pixels that a PNG's bytes can hold: its header says how many bits a pixel has. */
function mostOfPng(bytes: Uint8Array): number {
  const [depth = 1, type = 0] = bytes.subarray(24, 26);
  return (8 * DEFLATED * bytes.length) / ((PNG_CHANNELS[type] || 1) * (depth || 1));
}
