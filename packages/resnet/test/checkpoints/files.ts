import type { ByteSource } from "@shadegrad/tensor/formats";
import { FormatError } from "@shadegrad/tensor/formats";

const files = import.meta.glob<string>(["./files/**", "!./files/*.json"], {
  query: "?url&inline",
  import: "default",
});

/** The bytes of a file below `files`. */
export async function bytesOf(name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(await files[`./files/${name}`]!())).arrayBuffer());
}

/** A seekable source that counts what it is asked for, to find a reader that believes a file about sizes. */
export function counting(bytes: Uint8Array): ByteSource & { readonly most: number; readonly total: number } {
  let most = 0;
  let total = 0;
  return {
    size: bytes.length,
    seekable: true,
    get most() {
      return most;
    },
    get total() {
      return total;
    },
    async read(offset, length) {
      const part = bytes.slice(offset, offset + length);
      most = Math.max(most, part.length);
      total += part.length;
      return part;
    },
    async close() {},
  };
}

/** The value, or the FormatError; any other error is thrown on. */
export async function orFormatError<T>(value: Promise<T>): Promise<T | FormatError> {
  try {
    return await value;
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}

/** The message of the FormatError that `value` ends in. */
export async function messageOf(value: Promise<unknown>): Promise<string> {
  const found = await orFormatError(value);
  if (found instanceof FormatError) return found.message;
  throw new Error(`expected a FormatError, found ${String(found)}`);
}

/** Bytes, and text whose characters are bytes. */
export type Part = string | Uint8Array | readonly number[];

export const joined = (...parts: Part[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(
    parts.flatMap((part) => [...part].map((byte) => (typeof byte === "string" ? byte.charCodeAt(0) : byte))),
  );
