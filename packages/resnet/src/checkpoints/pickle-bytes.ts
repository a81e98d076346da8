import { FormatError } from "@shadegrad/tensor/formats";

/** A pickle that breaks off: more bytes may mend it. */
export class TruncatedPickle extends FormatError {}

/** No number of a checkpoint is longer; the magic number of torch.save takes ten bytes. */
const LONGEST_INTEGER = 16;

/** The bytes of a pickle, read from front to end. */
export class PickleBytes {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get length(): number {
    return this.#bytes.length;
  }

  skip(length: number): number {
    const start = this.at;
    if (length > this.#bytes.length - start)
      throw new TruncatedPickle(
        `pickle: it breaks off at byte ${this.#bytes.length}, where ${length} more bytes are needed from byte ${start}. Fetch the file again.`,
      );
    this.at += length;
    return start;
  }

  u8 = (): number => this.#view.getUint8(this.skip(1));
  u16 = (): number => this.#view.getUint16(this.skip(2), true);
  u32 = (): number => this.#view.getUint32(this.skip(4), true);
  u64 = (): number => Number(this.#view.getBigUint64(this.skip(8), true));

  text(length: number): string {
    const start = this.skip(length);
    return new TextDecoder().decode(this.#bytes.subarray(start, this.at));
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.at);
    const start = this.skip((end < 0 ? this.#bytes.length : end) + 1 - this.at);
    return new TextDecoder().decode(this.#bytes.subarray(start, this.at - 1));
  }

  /** Little-endian two's complement. */
  integer(length: number): number | bigint {
    if (length > LONGEST_INTEGER)
      throw new FormatError(
        `pickle: a number has ${length} bytes, more than ${LONGEST_INTEGER}. Fetch the file again.`,
      );
    const start = this.skip(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]!);
    value = BigInt.asIntN(8 * length, value);
    const short = Number(value);
    return Number.isSafeInteger(short) ? short : value;
  }

  f64 = (): number => this.#view.getFloat64(this.skip(8));

  /** The byte at a place that has been read, as a message shows it. */
  hex = (at: number): string => `0x${this.#bytes[at]!.toString(16).padStart(2, "0")}`;
}
