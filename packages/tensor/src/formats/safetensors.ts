import { FormatError } from "../errors.ts";
import { type ByteSource, expectEnd } from "./byte-source.ts";
import {
  type HostDType,
  type HostTensor,
  hostTensor,
  quote,
  toBigInt64,
  toFloat32,
  toInt32,
} from "./host-tensor.ts";
import { damaged, type Header, parseHeader, type TensorInfo } from "./safetensors-header.ts";
import { openSource, type SourceInput } from "./source.ts";

/** The limit that the format sets itself. */
const MAX_HEADER_BYTES = 100_000_000;

const TRUNCATED = "The file is truncated, or no safetensors file: fetch it again";

/** One tensor of an open file; each method reads it from there, and nothing is kept. */
export class TensorEntry {
  readonly name: string;
  readonly dtype: HostDType;
  readonly shape: readonly number[];
  readonly #load: () => Promise<Uint8Array>;

  constructor({ name, dtype, shape }: TensorInfo, load: () => Promise<Uint8Array>) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.#load = load;
  }

  /**
   * The bytes as they are stored, little-endian; a view of the caller's own bytes if the file was opened from such.
   *
   * @throws FormatError if the file ends before they do.
   */
  bytes(): Promise<Uint8Array> {
    return this.#load();
  }

  /**
   * The elements as they are stored, in the typed array of their type.
   *
   * @throws FormatError if the file ends before they do.
   */
  async read(): Promise<HostTensor> {
    return hostTensor(this.dtype, this.shape, await this.#load());
  }

  /**
   * The elements as float32, each rounded to the nearest.
   *
   * @throws FormatError if the file ends before they do.
   */
  async float32(): Promise<Float32Array> {
    return toFloat32(await this.read());
  }

  /**
   * The elements as int32.
   *
   * @throws FormatError if they are floats, one does not fit, or the file ends before they do.
   */
  async int32(): Promise<Int32Array> {
    return toInt32(await this.read(), `safetensors: ${quote(this.name)}`);
  }

  /**
   * The elements as int64.
   *
   * @throws FormatError if they are floats, one does not fit, or the file ends before they do.
   */
  async bigInt64(): Promise<BigInt64Array> {
    return toBigInt64(await this.read(), `safetensors: ${quote(this.name)}`);
  }
}

/**
 * An open safetensors file, of which only the header is in memory.
 *
 * `for await (const [name, entry] of file)` goes through it in file order, which works on streams too, and checks at
 * the end that nothing follows.
 */
export class SafetensorsFile {
  /** In file order. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: ByteSource;
  readonly #end: number;

  constructor(source: ByteSource, { tensors, metadata }: Header, dataStart: number) {
    this.#source = source;
    this.metadata = metadata;
    this.#end = dataStart + (tensors.at(-1)?.end ?? 0);
    this.entries = new Map(
      tensors.map((info) => [
        info.name,
        new TensorEntry(info, async () => {
          const length = info.end - info.start;
          const bytes = await source.read(dataStart + info.start, length);
          if (bytes.length !== length)
            throw damaged(
              `${quote(info.name)} has ${bytes.length} bytes left of ${length} before the source ends`,
              TRUNCATED,
            );
          return bytes;
        }),
      ]),
    );
  }

  /**
   * The tensor of that name.
   *
   * @throws FormatError if there is none.
   */
  get(name: string): TensorEntry {
    const entry = this.entries.get(name);
    if (entry) return entry;
    const some = [...this.entries.keys()].slice(0, 8).map(quote).join(", ");
    throw new FormatError(
      `safetensors: there is no ${quote(name)} among the ${this.entries.size} tensors of the file. It has ${some || "none"}${this.entries.size > 8 ? ", …" : ""}.`,
    );
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly [string, TensorEntry]> {
    yield* this.entries;
    await checkEnd(this.#source, this.#end);
  }

  /** Let go of the file. */
  close(): Promise<void> {
    return this.#source.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Open a safetensors file and read its header, which is checked whole before anything else is read.
 *
 * Follows https://huggingface.co/docs/safetensors/index#format.
 *
 * @throws FormatError if the header is not one, or does not fit the source.
 */
export async function openSafetensors(input: SourceInput): Promise<SafetensorsFile> {
  const source = await openSource(input);
  try {
    const [header, dataStart] = await readHeader(source);
    return new SafetensorsFile(source, header, dataStart);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * Read a whole safetensors file into memory.
 *
 * @throws FormatError if it is not one, or does not fit the source.
 */
export async function readSafetensors(input: SourceInput): Promise<Map<string, HostTensor>> {
  const file = await openSafetensors(input);
  try {
    const tensors = new Map<string, HostTensor>();
    for await (const [name, entry] of file) tensors.set(name, await entry.read());
    return tensors;
  } finally {
    await file.close();
  }
}

async function readHeader(source: ByteSource): Promise<[Header, number]> {
  const prefix = await source.read(0, 8);
  if (prefix.length < 8)
    throw damaged(
      `the source has ${prefix.length} bytes but the length of the header alone takes 8`,
      TRUNCATED,
    );
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES)
    throw damaged(
      `the header claims ${length} bytes but may have ${MAX_HEADER_BYTES}`,
      "This is no safetensors file",
    );
  const left = (source.size ?? Infinity) - 8;
  if (length > left) throw damaged(`the header claims ${length} bytes but ${left} follow`, TRUNCATED);
  const bytes = await source.read(8, length);
  if (bytes.length < length)
    throw damaged(`the header claims ${length} bytes but ${bytes.length} follow`, TRUNCATED);
  const header = parseHeader(decodeUtf8(bytes));
  const dataStart = 8 + length;
  if (source.size !== undefined) await checkEnd(source, dataStart + (header.tensors.at(-1)?.end ?? 0));
  return [header, dataStart];
}

const checkEnd = (source: ByteSource, end: number) =>
  expectEnd(source, end, (size, short) =>
    damaged(
      `the header and its tensors take ${end} bytes but the source has ${size}`,
      short ? TRUNCATED : "Cut off what follows the last tensor, or fetch the file again",
    ),
  );

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(
      `safetensors: the ${bytes.length} bytes of the header are not UTF-8. Fetch the file again, or fix the program that wrote it.`,
      { cause },
    );
  }
}
