import type { ByteSource } from "@shadegrad/tensor/formats";
import type { Checkpoint } from "./checkpoint-file.ts";

/** PyTorch's legacy files begin with this number as a pickle, after its protocol and, from protocol 4 on, a frame. */
const LEGACY_MAGIC = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const FRAME = 0x95;

/** The longest header that safetensors allows itself. */
const MAX_SAFETENSORS_HEADER = 100_000_000;

/** A format of files that hold tensors. */
interface Format {
  /** Name in messages, with its article. */
  readonly name: string;
  /** True if a file of this format begins like this. */
  recognizes(head: Uint8Array): boolean;
  /** Open such a file; a page downloads the reader when it is given one. */
  open(source: ByteSource): Promise<Checkpoint>;
}

/** Formats that can be read, in the order in which they are tried. */
export const FORMATS = {
  safetensors: {
    name: "safetensors",
    recognizes: (head) => head.length > 8 && head[8] === 0x7b && headerLength(head) <= MAX_SAFETENSORS_HEADER,
    open: async (source) => (await import("./safetensors.ts")).openSafetensorsCheckpoint(source),
  },
  "torch-zip": {
    name: "a PyTorch checkpoint",
    recognizes: (head) => begins(head, "PK\x03\x04"),
    open: async (source) => (await import("./torch-zip.ts")).openTorchZip(source),
  },
  "torch-legacy": {
    name: "a PyTorch checkpoint",
    recognizes: (head) => isPickle(head) && begins(head, LEGACY_MAGIC, head[2] === FRAME ? 11 : 2),
    open: async (source) => (await import("./torch-legacy.ts")).openTorchLegacy(source),
  },
} satisfies Readonly<Record<string, Format>>;

/** JSON names other files: the shards of a TensorFlow.js model, or checkpoints of these formats. */
export type Kind = keyof typeof FORMATS | "json";

/** Formats, as a message about another one names them. */
export const EXPECTED = `expected ${[...new Set(Object.values(FORMATS).map(({ name }) => name))].join(", ")} or a TensorFlow.js model.json`;

/** Format of a file that begins like this; undefined if it is another. */
export function recognize(head: Uint8Array): Kind | undefined {
  for (const [kind, format] of Object.entries(FORMATS)) if (format.recognizes(head)) return kind as Kind;
  return textOf(head)?.trimStart()[0] === "{" ? "json" : undefined;
}

const headerLength = (head: Uint8Array): bigint =>
  new DataView(head.buffer, head.byteOffset, head.byteLength).getBigUint64(0, true);

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
