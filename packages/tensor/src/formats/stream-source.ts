import { allocate, type ByteSource } from "./byte-source.ts";

/** Skipping fewer bytes than this costs less than asking for the stream again. */
const WORTH_REOPENING = 1 << 20;

/** No header is believed about more memory than this until as many bytes have really come. */
const TRUSTED = 1 << 20;

/** Restart of a stream at an offset, for a source that supports it. */
interface Reopen {
  readonly size: number;
  readonly from: (offset: number) => Promise<AsyncIterator<Uint8Array>>;
}

/** A stream of chunks read in order, or in any order if the stream can be begun again at an offset. */
export class StreamSource implements ByteSource {
  size: number | undefined;
  readonly seekable: boolean;
  readonly #reopen: Reopen | undefined;
  #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #position = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(chunks: AsyncIterator<Uint8Array>, reopen?: Reopen) {
    this.#chunks = chunks;
    this.#reopen = reopen;
    this.size = reopen?.size;
    this.seekable = reopen !== undefined;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    // One stream has one position, so reads that were asked for together wait for each other.
    const bytes = this.#last.then(() => this.#read(offset, length));
    this.#last = bytes.catch(() => {
      // A connection that broke may be made again: nothing is known to be where it was.
      if (this.#reopen) this.#position = Infinity;
    });
    return bytes;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #read(offset: number, length: number): Promise<Uint8Array> {
    if (this.size !== undefined && offset >= this.size) return new Uint8Array();
    if (offset < this.#position || (this.#reopen && offset > this.#position + WORTH_REOPENING))
      await this.#seek(offset);
    while (this.#position < offset && (await this.#fill())) this.#take(offset - this.#position);

    let bytes = allocate(Math.min(length, TRUSTED));
    let filled = 0;
    while (filled < length && (await this.#fill())) {
      const part = this.#take(length - filled);
      if (filled + part.length > bytes.length) {
        const grown = allocate(Math.min(length, Math.max(filled + part.length, 2 * bytes.length)));
        grown.set(bytes);
        bytes = grown;
      }
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes.subarray(0, filled);
  }

  async #seek(offset: number): Promise<void> {
    if (!this.#reopen)
      throw new Error(
        `source: byte ${offset} was asked for, but the stream is past it, at byte ${this.#position}. Read in file order, or from a file, a Blob or bytes.`,
      );
    await this.close();
    this.#chunks = await this.#reopen.from(offset);
    this.#chunk = new Uint8Array();
    this.#position = offset;
  }

  /** Make sure that a byte is at hand; false at the end of the stream, where the size is known at last. */
  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) {
        this.size ??= this.#position;
        return false;
      }
      if (!(value instanceof Uint8Array))
        throw new TypeError(
          `source: a chunk is ${typeof value}, not a Uint8Array. Decode the stream to bytes first.`,
        );
      this.#chunk = value;
    }
    return true;
  }

  #take(most: number): Uint8Array {
    const part = this.#chunk.subarray(0, most);
    this.#chunk = this.#chunk.subarray(part.length);
    this.#position += part.length;
    return part;
  }
}

/** The chunks of anything that yields them; of a ReadableStream also where it is not iterable. */
export function chunksOf(
  chunks: ReadableStream<Uint8Array> | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncIterator<Uint8Array> {
  if ("getReader" in chunks) {
    const reader = chunks.getReader();
    return {
      next: () => reader.read() as Promise<IteratorResult<Uint8Array>>,
      async return() {
        // A stream that failed has said so to whoever read it.
        await reader.cancel().catch(() => {});
        return { done: true, value: undefined };
      },
    };
  }
  if (Symbol.asyncIterator in chunks) return chunks[Symbol.asyncIterator]();
  const iterator = chunks[Symbol.iterator]();
  return { next: async () => iterator.next() };
}

/**
 * Read a URL through one request where the reading is in order, and through more where it jumps and the server allows it.
 *
 * Ranges follow RFC 9110, section 14; `bytes=0-` is one that browsers send across origins without asking first.
 */
export async function streamUrl(url: string | URL): Promise<ByteSource> {
  const request = async (offset: number) => {
    const response = await fetch(url, { headers: { Range: `bytes=${offset}-` } }).catch((error) => {
      throw unreachable(url, error);
    });
    const [, first, size] =
      /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "") ?? [];
    const ranged = response.status === 206 && first === String(offset);
    if (!response.ok && response.status !== 416)
      throw new Error(`source: ${url} answered ${response.status} ${response.statusText}.`);
    const body = response.status === 416 ? null : response.body;
    return { chunks: chunksOf(body ?? []), size: ranged ? Number(size) : undefined };
  };
  const { chunks, size } = await request(0);
  if (size === undefined) return new StreamSource(chunks);
  const from = async (offset: number) => {
    const again = await request(offset);
    if (again.size !== size)
      throw new Error(
        `source: ${url} had ${size} bytes and now answers with ${again.size ?? "no range"}. Open it again.`,
      );
    return again.chunks;
  };
  return new StreamSource(chunks, { size, from });
}

/** "fetch failed" with the address and the reason, which Node keeps in `cause`. */
function unreachable(url: string | URL, error: Error): Error {
  const { cause } = error;
  const reason = cause instanceof Error ? cause.message || (cause as { code?: string }).code : undefined;
  return new Error(`source: ${url} cannot be fetched: ${reason || error.message}.`, { cause: error });
}
