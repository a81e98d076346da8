import {
  Bfloat16Bits,
  Float16Bits,
  fromBfloat16Bits,
  fromFloat16Bits,
  toBfloat16Bits,
  toFloat16Bits,
} from "../core/float16.ts";
import { FormatError, ShapeError } from "../errors.ts";

/** The typed array that holds each element type; `f16` and `bf16` are held as their bits. */
interface Arrays {
  f64: Float64Array;
  f32: Float32Array;
  f16: Uint16Array;
  bf16: Uint16Array;
  i64: BigInt64Array;
  u64: BigUint64Array;
  i32: Int32Array;
  u32: Uint32Array;
  i16: Int16Array;
  u16: Uint16Array;
  i8: Int8Array;
  u8: Uint8Array;
  bool: Uint8Array;
}

/** An element type that a file can hold. */
export type HostDType = keyof Arrays;

/** A typed array of any element type that a file can hold. */
export type HostArray = Arrays[HostDType];

/** An array in main memory, row-major: what a file holds and what a GPU tensor is uploaded from. */
export type HostTensor = {
  [D in HostDType]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: Arrays[D] };
}[HostDType];

/**
 * Tensor to write: a {@link HostTensor}, or an object with type, shape and a function that gives the values.
 *
 * For `f16` and `bf16` the values may be bits in a Uint16Array, or a Float32Array that is rounded on the way.
 */
export interface Writable {
  readonly dtype: HostDType;
  readonly shape: readonly number[];
  readonly data: HostArray | (() => HostArray | Promise<HostArray>);
}

const ARRAYS: {
  [D in HostDType]: {
    new (buffer: ArrayBufferLike, offset: number, length: number): Arrays[D];
    BYTES_PER_ELEMENT: number;
    name: string;
  };
} = {
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
};

/** Arrays that readers make: halves have array types of their own. */
const READ = { ...ARRAYS, f16: Float16Bits, bf16: Bfloat16Bits };

export const HOST_DTYPES = Object.keys(ARRAYS) as HostDType[];

/** Limit of NumPy and PyTorch. */
export const MAX_RANK = 64;

export const bytesPerElement = (dtype: HostDType) => ARRAYS[dtype].BYTES_PER_ELEMENT;

/** A name from a file, as a message shows it. */
export const quote = (name: string) => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);

/** Elements in `shape`; `fail` makes the error if it is no shape, or too large for its strides to be exact. */
export function countElements(shape: readonly number[], fail: (what: string) => Error): number {
  if (shape.length > MAX_RANK) throw fail(`has ${shape.length} axes, more than ${MAX_RANK}`);
  let extent = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw fail(`has an axis of size ${size} in [${shape}], not a non-negative integer`);
    // An empty axis does not excuse the others: strides are products of them.
    extent *= Math.max(size, 1);
  }
  if (extent > Number.MAX_SAFE_INTEGER)
    throw fail(`has shape [${shape}], about ${extent} elements, more than ${Number.MAX_SAFE_INTEGER}`);
  return shape.includes(0) ? 0 : extent;
}

/** See little-endian `bytes`, as every WebGPU host stores them, as elements; copied only if they are not aligned. */
export function hostTensor(dtype: HostDType, shape: readonly number[], bytes: Uint8Array): HostTensor {
  const size = bytesPerElement(dtype);
  const { buffer, byteOffset, length } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return { dtype, shape, data: new READ[dtype](buffer, byteOffset, length / size) } as HostTensor;
}

/**
 * The bytes that a file stores for `tensor`, a view of its data where nothing has to be rounded.
 *
 * @throws ShapeError if the data is not as long as the shape says; FormatError if it is of another type.
 */
export async function fileBytes(label: string, tensor: Writable): Promise<Uint8Array> {
  const { dtype, shape } = tensor;
  const given = typeof tensor.data === "function" ? await tensor.data() : tensor.data;
  const round =
    given instanceof Float32Array && (dtype === "f16" ? toFloat16Bits : dtype === "bf16" && toBfloat16Bits);
  const data = round ? round(given) : given;
  const count = countElements(shape, (what) => new ShapeError(`${label} ${what}.`));
  const [found, wanted] = [data[Symbol.toStringTag], ARRAYS[dtype].name];
  if (found !== wanted)
    throw new FormatError(
      `${label} is ${dtype}, kept in a ${wanted}, but its data is a ${found}. Convert it, or name its own dtype.`,
    );
  if (data.length !== count)
    throw new ShapeError(
      `${label} has shape [${shape}], ${count} elements, but its data has ${data.length}.`,
    );
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * The values as float32, each rounded to the nearest; the data itself if it is float32 already.
 *
 * any shape → `[elements]`
 */
export function toFloat32({ dtype, data }: HostTensor): Float32Array {
  switch (dtype) {
    case "f32":
      return data;
    case "f16":
      return fromFloat16Bits(data);
    case "bf16":
      return fromBfloat16Bits(data);
    case "bool":
      return Float32Array.from(data, (value) => (value ? 1 : 0));
    case "i64":
    case "u64":
      return Float32Array.from(data as BigInt64Array, Number);
    default:
      return new Float32Array(data);
  }
}

/**
 * The values as int32, of any integer type or bool; the data itself if it is int32 already.
 *
 * any shape → `[elements]`
 *
 * @throws FormatError if the type is a float, or a value does not fit.
 */
export function toInt32(tensor: HostTensor, label = "toInt32: the tensor"): Int32Array {
  if (tensor.dtype === "i32") return tensor.data;
  return checked(tensor, label, "i32", new Int32Array(tensor.data.length), Number);
}

/**
 * The values as int64, of any integer type or bool; the data itself if it is int64 already.
 *
 * any shape → `[elements]`
 *
 * @throws FormatError if the type is a float, or a value does not fit.
 */
export function toBigInt64(tensor: HostTensor, label = "toBigInt64: the tensor"): BigInt64Array {
  if (tensor.dtype === "i64") return tensor.data;
  return checked(tensor, label, "i64", new BigInt64Array(tensor.data.length), BigInt);
}

function checked<T extends Int32Array | BigInt64Array>(
  { dtype, data }: HostTensor,
  label: string,
  to: string,
  out: T,
  cast: (value: number | bigint) => T[number],
): T {
  if (/f/.test(dtype))
    throw new FormatError(`${label} is ${dtype}, not integers that ${to} could hold. Read it as float32.`);
  for (let i = 0; i < data.length; i++) {
    const value = cast(dtype === "bool" ? Number(data[i] !== 0) : data[i]!);
    out[i] = value;
    if (out[i] !== value)
      throw new FormatError(
        `${label} has ${value} at element ${i}, which ${to} cannot hold. Read it as a wider type.`,
      );
  }
  return out;
}
