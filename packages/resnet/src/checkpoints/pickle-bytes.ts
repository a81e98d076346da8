import { FormatError } from "@shadegrad/tensor/formats";
import { BYTES } from "./opaque.ts";

/** A truncated pickle: more bytes may complete it. */
export class TruncatedPickle extends FormatError {}

/** Longer numbers are refused: the magic number of torch.save takes ten bytes, a UUID seventeen. */
const LONGEST_INTEGER = 255;

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

function passedOver(bytes: PickleBytes, length: number): symbol {
  bytes.skip(length);
  return BYTES;
}

/** Opcodes that push a value which stands in the pickle itself. */
export const CONSTANTS: ReadonlyMap<number, (bytes: PickleBytes) => unknown> = new Map<
  number,
  (bytes: PickleBytes) => unknown
>([
  [0x4e, () => null], // NONE
  [0x88, () => true], // NEWTRUE
  [0x89, () => false], // NEWFALSE
  [0x4b, (bytes) => bytes.u8()], // BININT1
  [0x4d, (bytes) => bytes.u16()], // BININT2
  [0x4a, (bytes) => bytes.u32() | 0], // BININT
  [0x8a, (bytes) => bytes.integer(bytes.u8())], // LONG1
  [0x8b, (bytes) => bytes.integer(bytes.u32())], // LONG4
  [0x47, (bytes) => bytes.f64()], // BINFLOAT
  [0x55, (bytes) => bytes.text(bytes.u8())], // SHORT_BINSTRING
  [0x54, (bytes) => bytes.text(bytes.u32())], // BINSTRING
  [0x8c, (bytes) => bytes.text(bytes.u8())], // SHORT_BINUNICODE
  [0x58, (bytes) => bytes.text(bytes.u32())], // BINUNICODE
  [0x8d, (bytes) => bytes.text(bytes.u64())], // BINUNICODE8
  [0x43, (bytes) => passedOver(bytes, bytes.u8())], // SHORT_BINBYTES
  [0x42, (bytes) => passedOver(bytes, bytes.u32())], // BINBYTES
  [0x8e, (bytes) => passedOver(bytes, bytes.u64())], // BINBYTES8
  [0x96, (bytes) => passedOver(bytes, bytes.u64())], // BYTEARRAY8
] as const);
