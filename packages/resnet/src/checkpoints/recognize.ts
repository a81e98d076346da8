/** The formats that can be read, told by how a file begins. */
export type Kind = "safetensors" | "torch-zip" | "torch-legacy" | "json";

/** PyTorch's legacy files begin with this number as a pickle, after its protocol and, from protocol 4 on, a frame. */
const LEGACY_MAGIC = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const FRAME = 0x95;

/** The longest header that safetensors allows itself. */
const MAX_SAFETENSORS_HEADER = 100_000_000;

/** Beginnings of files that are no checkpoints, at a byte: an error names what they are. */
const OTHERS: readonly (readonly [start: string | readonly number[], what: string, at?: number])[] = [
  ["\x89PNG", "a PNG image"],
  [[0xff, 0xd8, 0xff], "a JPEG image"],
  ["GIF8", "a GIF image"],
  ["WEBP", "a WebP image", 8],
  ["%PDF", "a PDF document"],
  [[0x1f, 0x8b], "a gzip archive; unpack it first"],
  ["BZh", "a bzip2 archive; unpack it first"],
  ["\xfd7zXZ", "an xz archive; unpack it first"],
  [[0x28, 0xb5, 0x2f, 0xfd], "a Zstandard archive; unpack it first"],
  ["7z\xbc\xaf", "a 7z archive; unpack it first"],
  ["ustar", "a tar archive; unpack it first", 257],
  ["\x89HDF", "an HDF5 file, as Keras writes; convert it with tensorflowjs_converter"],
  ["\x93NUMPY", "a NumPy array"],
  ["GGUF", "a GGUF model"],
  ["TFL3", "a TensorFlow Lite model", 4],
  ["\x7fELF", "a program"],
  ["version https://git-lfs", "a Git LFS pointer, which stands for the file; fetch it with `git lfs pull`"],
  ["PK", "a zip archive that is empty or in parts"],
];

/** Which format begins like this, or what else it is. */
export function recognize(head: Uint8Array, size: number): Kind | { readonly what: string } {
  if (size === 0) return { what: "an empty file" };
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (begins(head, "PK\x03\x04")) return "torch-zip";
  if (isPickle(head) && begins(head, LEGACY_MAGIC, head[2] === FRAME ? 11 : 2)) return "torch-legacy";
  if (head.length > 8 && head[8] === 0x7b && view.getBigUint64(0, true) <= MAX_SAFETENSORS_HEADER)
    return "safetensors";

  const known = OTHERS.find(([start, , at = 0]) => begins(head, start, at));
  if (known) return { what: known[1] };
  if (isPickle(head)) return { what: "a Python pickle that torch.save did not write" };

  const text = textOf(head);
  if (text === undefined) return { what: `${size} bytes of an unknown format, ${hex(head)} …` };
  const start = text.replace(/^\ufeff/, "").trimStart();
  if (start[0] === "{") return "json";
  if (/^(<!doctype html|<html|<head|<body)/i.test(start))
    return { what: "an HTML page, perhaps of an error" };
  if (start[0] === "<") return { what: "an XML document" };
  return { what: `a text file, ${JSON.stringify(start.slice(0, 24))} …` };
}

const isPickle = (head: Uint8Array): boolean => head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5;

const begins = (head: Uint8Array, start: string | readonly number[], at = 0): boolean => {
  const bytes = typeof start === "string" ? [...start].map((char) => char.charCodeAt(0)) : start;
  return bytes.every((byte, i) => head[at + i] === byte);
};

/** UTF-8 without control characters; what the head cuts off does not count. */
function textOf(head: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(head, { stream: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a text file has none
    return /[\0-\x08\x0e-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

const hex = (head: Uint8Array): string =>
  Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
