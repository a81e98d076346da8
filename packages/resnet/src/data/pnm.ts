import { FormatError } from "@shadegrad/tensor";
import type { DecodedImage } from "./picture-format.ts";

/**
 * Decode a PGM or PPM, plain or binary: grey or colours of 8 or 16 bits (https://netpbm.sourceforge.net/doc/ppm.html).
 *
 * @throws FormatError if the header is none, or the file ends before its pixels do.
 */
export function decodePnm(bytes: Uint8Array): DecodedImage {
  const tokens = new Tokens(bytes);
  const kind = tokens.word();
  const [width, height, most] = [tokens.number(), tokens.number(), tokens.number()];
  const channels = kind === "P3" || kind === "P6" ? 3 : 1;
  const isPlain = kind === "P2" || kind === "P3";
  if (!(width >= 1 && height >= 1 && most >= 1 && most <= 65535))
    throw new FormatError(`ppm: ${width} × ${height} pixels up to ${most}, not whole numbers ≥ 1`);
  const width8 = most > 255 ? 2 : 1;
  const count = width * height * channels;
  const start = tokens.at + 1;
  // A plain value takes a digit and a space.
  const needed = isPlain ? 2 * count - 1 : count * width8;
  if (bytes.length - start < needed)
    throw new FormatError(
      `ppm: ${width} × ${height} pixels take ${needed} bytes, but ${bytes.length - start} follow`,
    );
  const value = isPlain
    ? () => tokens.number()
    : (i: number) =>
        width8 === 1 ? bytes[start + i]! : 256 * bytes[start + 2 * i]! + bytes[start + 2 * i + 1]!;
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < count; i++) {
    const byte = Math.round((Math.min(value(i), most) * 255) / most);
    if (channels === 3) pixels[i] = byte;
    else pixels.fill(byte, 3 * i, 3 * i + 3);
  }
  return { pixels, width, height };
}

/** The words of a header, with comments left out. */
class Tokens {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  word(): string {
    const bytes = this.#bytes;
    const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13);
    while (this.at < bytes.length && (isSpace(bytes[this.at]!) || bytes[this.at] === 0x23)) {
      if (bytes[this.at] === 0x23) while (this.at < bytes.length && bytes[this.at] !== 10) this.at++;
      else this.at++;
    }
    const start = this.at;
    while (this.at < bytes.length && this.at < start + 16 && !isSpace(bytes[this.at]!)) this.at++;
    return String.fromCharCode(...bytes.subarray(start, this.at));
  }

  number(): number {
    const word = this.word();
    if (!/^\d{1,9}$/.test(word)) throw new FormatError(`ppm: ${JSON.stringify(word)} is no number`);
    return Number(word);
  }
}
