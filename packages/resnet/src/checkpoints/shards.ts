import { type ByteSource, FormatError } from "@shadegrad/tensor/formats";
import { quote } from "./checkpoint-file.ts";
import { shown } from "./json.ts";

/**
 * The path of a shard as an index gives it: of a file beside the index, or below.
 *
 * @throws what `fail` makes, if it is anything else.
 */
export function shardPath(path: unknown, fail: (what: string) => FormatError): string {
  const parts = typeof path === "string" ? path.split("/") : [""];
  if (parts.some((part) => part === "" || part === "." || part === ".." || /[\\:\0]/.test(part)))
    throw fail(`${quote(shown(path))} is no path of a file beside it`);
  return path as string;
}

/** Files read as one run of bytes; the last one read stays in memory. */
export class Shards {
  readonly #paths: readonly string[];
  readonly #open: (path: string) => Promise<ByteSource>;
  /** End of each shard that has been seen. */
  readonly #ends: number[] = [];
  #kept: { readonly index: number; readonly bytes: Uint8Array } | undefined;
  /** Readings wait for each other, so that no shard is fetched twice. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(paths: readonly string[], open: (path: string) => Promise<ByteSource>) {
    this.#paths = paths;
    this.#open = open;
  }

  /**
   * `length` bytes from `start`.
   *
   * @throws FormatError if the shards end before.
   */
  read(name: string, start: number, length: number): Promise<Uint8Array> {
    const bytes = this.#last.then(() => this.#read(name, start, length));
    this.#last = bytes.catch(() => {});
    return bytes;
  }

  async #read(name: string, start: number, length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let missing = length;
    for (let i = 0; missing > 0 && i < this.#paths.length; i++) {
      if ((this.#ends[i] ?? Infinity) <= start) continue;
      const shard = await this.#load(i);
      const begin = Math.max(0, start - (this.#ends[i]! - shard.length));
      const part = shard.subarray(begin, begin + missing);
      parts.push(part);
      missing -= part.length;
    }
    if (missing > 0)
      throw new FormatError(
        `model.json: ${quote(name)} takes ${length} bytes from byte ${start}, but its ${this.#paths.length} shards end at ${this.#ends.at(-1) ?? 0}. Fetch the shards again.`,
      );
    if (parts.length === 1) return parts[0]!;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  async #load(index: number): Promise<Uint8Array> {
    if (this.#kept?.index === index) return this.#kept.bytes;
    const source = await this.#open(this.#paths[index]!);
    try {
      const bytes = await source.read(0, Infinity);
      this.#ends[index] = (this.#ends[index - 1] ?? 0) + bytes.length;
      this.#kept = { index, bytes };
      return bytes;
    } finally {
      await source.close();
    }
  }
}
