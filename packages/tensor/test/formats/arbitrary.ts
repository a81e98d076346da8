import {
  type ByteSource,
  FormatError,
  type HostArray,
  type HostDType,
  type HostTensor,
} from "@shadegrad/tensor/formats";
import fc from "fast-check";

const ARRAYS = {
  f64: Float64Array,
  f32: Float32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  i32: Int32Array,
  u32: Uint32Array,
  i16: Int16Array,
  u16: Uint16Array,
  i8: Int8Array,
  u8: Uint8Array,
  bool: Uint8Array,
} satisfies Record<HostDType, unknown>;

/** Any bits at all, NaN payloads and negative zeros among them. */
export const arbitraryTensor = (dtypes = Object.keys(ARRAYS) as HostDType[]): fc.Arbitrary<HostTensor> =>
  fc
    .record({
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
      seed: fc.integer(),
    })
    .map(({ dtype, shape, seed }) => {
      const data = new ARRAYS[dtype](shape.reduce((product, size) => product * size, 1));
      bytesOf(data).forEach((_, i, bytes) => {
        bytes[i] = Math.imul(seed + i, 0x9e3779b1) >>> 24;
      });
      return { dtype, shape, data } as HostTensor;
    });

export const bytesOf = (data: HostArray) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Cuts of a file into chunks, empty ones included. */
export const arbitraryCuts = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 20 });

export function* chunked(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (const cut of cuts) {
    yield bytes.slice(at, at + cut);
    at += cut;
  }
  yield bytes.slice(at);
}

/** A seekable source that counts what it is asked for, to find a reader that believes a header about sizes. */
export function counting(bytes: Uint8Array): ByteSource & { readonly most: number } {
  let most = 0;
  return {
    size: bytes.length,
    seekable: true,
    get most() {
      return most;
    },
    async read(offset, length) {
      most = Math.max(most, length);
      return bytes.slice(offset, offset + length);
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

/** A safetensors file of any header, right or wrong. */
export function safetensorsFile(header: unknown, data: Uint8Array | number = 0, length?: bigint): Uint8Array {
  const json =
    header instanceof Uint8Array
      ? header
      : new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const payload = typeof data === "number" ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + json.length + payload.length);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  file.set(json, 8);
  file.set(payload, 8 + json.length);
  return file;
}

/** A `.npy` file of any header, right or wrong. */
export function npyFile(
  dict: string,
  data: Uint8Array | number = 0,
  version: readonly [number, number] = [1, 0],
): Uint8Array {
  const payload = typeof data === "number" ? new Uint8Array(data) : data;
  const length =
    version[0] === 1 ? [dict.length & 255, dict.length >> 8] : [dict.length & 255, dict.length >> 8, 0, 0];
  const header = Uint8Array.from(dict, (char) => char.charCodeAt(0));
  return Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, ...version, ...length, ...header, ...payload);
}
