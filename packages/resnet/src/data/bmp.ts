import { FormatError } from "@shadegrad/tensor";
import { type DecodedImage, FREE_BYTES } from "./picture-format.ts";

/** Compressions whose pixels take as many bytes as their sides say: none, and bit fields. */
const PLAIN = [0, 3, 6];
const BITS = [1, 4, 8, 16, 24, 32];
/** Bytes of memory for a pixel: four that the decoder makes, and three of the result. */
const PIXEL = 7;

/**
 * Decode a BMP, in Node: a browser does that itself.
 *
 * @throws FormatError if it is compressed, ends before its pixels do, or would take more than 64 MiB and four times the file.
 */
export async function decodeBmp(bytes: Uint8Array): Promise<DecodedImage> {
  if (bytes.length < 54) throw new FormatError(`it has ${bytes.length} bytes, and a header alone takes 54`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [width, height] = [Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))];
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  if (!PLAIN.includes(compression)) throw new FormatError("it is a compressed BMP, which is not read");
  if (!BITS.includes(bits))
    throw new FormatError(`it has ${bits} bits a pixel, expected one of ${BITS.join(", ")}`);
  const colours = view.getUint32(46, true);
  const after = 14 + view.getUint32(14, true) + 4 * colours;
  if (after > bytes.length)
    throw new FormatError(`its ${colours} colours end at byte ${after} of ${bytes.length}`);
  const most = Math.floor((FREE_BYTES + 4 * bytes.length) / PIXEL);
  if (width * height === 0 || width * height > most)
    throw new FormatError(
      `it has ${width} × ${height} pixels in ${bytes.length} bytes, expected 1 to ${most} pixels: decoding takes ${PIXEL} bytes for each; a PNG of it may have more`,
    );
  const end = view.getUint32(10, true) + Math.ceil((width * bits) / 32) * 4 * height;
  if (end > bytes.length)
    throw new FormatError(`its ${width} × ${height} pixels end at byte ${end} of ${bytes.length}`);
  const name = "bmp-ts"; // a variable, so that no bundler follows it into the browser
  const { decode }: typeof import("bmp-ts") = await import(/* @vite-ignore */ name);
  const { data } = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), { toRGBA: true });
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0, at = 0; i < pixels.length; i += 3, at += 4) pixels.set(data.subarray(at, at + 3), i);
  return { pixels, width, height };
}
