/** A part of a message: bytes, or bytes of a known length that are read when their turn comes. */
type Part = Uint8Array | { readonly length: number; bytes(): Promise<Uint8Array> };

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/**
 * A message in the wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding). Tensors stay with
 * their readers until the message is written, so that memory holds one at a time.
 */
export class Message {
  readonly #parts: Part[] = [];

  /** Number of bytes. */
  get length(): number {
    return this.#parts.reduce((sum, { length }) => sum + length, 0);
  }

  int(field: number, value: number | bigint): this {
    return this.#tag(field, VARINT).#add(varint(value));
  }

  ints(field: number, values: readonly (number | bigint)[]): this {
    for (const value of values) this.int(field, value);
    return this;
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#tag(field, FIXED_32).#add(bytes);
  }

  string(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text));
  }

  bytes(field: number, part: Part): this {
    return this.#tag(field, LENGTH_DELIMITED).#add(varint(part.length)).#add(part);
  }

  message(field: number, inner: Message): this {
    this.#tag(field, LENGTH_DELIMITED).#add(varint(inner.length));
    for (const part of inner.#parts) this.#parts.push(part);
    return this;
  }

  /** The bytes, a part at a time. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (const part of this.#parts) yield part instanceof Uint8Array ? part : await part.bytes();
  }

  #tag(field: number, type: number): this {
    return this.#add(varint((field << 3) | type));
  }

  #add(part: Part): this {
    this.#parts.push(part);
    return this;
  }
}

/** Seven bits a byte, the lowest first; a set eighth bit says that more follow. Negative numbers have 64 bits. */
function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
