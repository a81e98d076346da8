import type { ByteSource } from "@shadegrad/tensor/formats";
import type { Checkpoint } from "./checkpoint-file.ts";

/** Formats that can be read, recognised by the first bytes of a file. */
export type Kind = "safetensors" | "torch-zip" | "torch-legacy" | "json";

/** Readers by format; a page downloads one when it is given a file of that format. */
export const READERS: Readonly<Record<Exclude<Kind, "json">, (source: ByteSource) => Promise<Checkpoint>>> = {
  safetensors: async (source) => (await import("./safetensors.ts")).openSafetensorsCheckpoint(source),
  "torch-zip": async (source) => (await import("./torch-zip.ts")).openTorchZip(source),
  "torch-legacy": async (source) => (await import("./torch-legacy.ts")).openTorchLegacy(source),
};

/** PyTorch's legacy files begin with this number as a pickle, after its protocol and, from protocol 4 on, a frame. */
const LEGACY_MAGIC = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const FRAME = 0x95;

/** The longest header that safetensors allows itself. */
const MAX_SAFETENSORS_HEADER = 100_000_000;

/** Format of a file that begins like this; undefined if it is another. */
export function recognize(head: Uint8Array): Kind | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (begins(head, "PK\x03\x04")) return "torch-zip";
  if (isPickle(head) && begins(head, LEGACY_MAGIC, head[2] === FRAME ? 11 : 2)) return "torch-legacy";
  if (head.length > 8 && head[8] === 0x7b && view.getBigUint64(0, true) <= MAX_SAFETENSORS_HEADER)
    return "safetensors";
  return textOf(head)?.trimStart()[0] === "{" ? "json" : undefined;
}

export const isPickle = (head: Uint8Array): boolean => head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5;

export const begins = (head: Uint8Array, start: string | readonly number[], at = 0): boolean => {
  const bytes = typeof start === "string" ? [...start].map((char) => char.charCodeAt(0)) : start;
  return bytes.every((byte, i) => head[at + i] === byte);
};

/** UTF-8 without control characters; what the head cuts off does not count. */
export function textOf(head: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(head, { stream: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a text file has none
    return /[\0-\x08\x0e-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
