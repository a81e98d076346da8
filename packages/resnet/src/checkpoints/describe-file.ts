import { begins, isPickle, textOf } from "./recognize.ts";

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

/** Description, for an error, of a file that is no checkpoint. */
export function describeFile(head: Uint8Array, size: number): string {
  if (size === 0) return "an empty file";
  const known = OTHERS.find(([start, , at = 0]) => begins(head, start, at));
  if (known) return known[1];
  if (isPickle(head)) return "a Python pickle that torch.save did not write";

  const text = textOf(head);
  if (text === undefined) return `${size} bytes of an unknown format, ${hex(head)} …`;
  const start = text.replace(/^\ufeff/, "").trimStart();
  if (/^(<!doctype html|<html|<head|<body)/i.test(start)) return "an HTML page, perhaps of an error";
  if (start[0] === "<") return "an XML document";
  return `a text file, ${JSON.stringify(start.slice(0, 24))} …`;
}

const hex = (head: Uint8Array): string =>
  Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
