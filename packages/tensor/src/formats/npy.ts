import { FormatError } from "../errors.ts";
import { type ByteSource, expectEnd } from "./byte-source.ts";
import {
  bytesPerElement,
  fileBytes,
  type HostArray,
  type HostTensor,
  hostTensor,
  type Writable,
} from "./host-tensor.ts";
import { type NpyHeader, npyCode, npyError, parseNpyHeader } from "./npy-header.ts";
import { openSource, type SourceInput } from "./source.ts";

const MAGIC = "\x93NUMPY";

/** Three times what any dtype and shape that is read here can need. */
const MAX_HEADER_BYTES = 10_000;

const TRUNCATED = "The file is truncated, or no .npy file: fetch it again";

/**
 * Read a `.npy` file of version 1.0, 2.0 or 3.0, whatever its byte order; Fortran order becomes row-major.
 *
 * Follows https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
 *
 * @throws FormatError if it is none, has no plain numeric dtype, or does not fit the source.
 */
export async function readNpy(input: SourceInput): Promise<HostTensor> {
  const source = await openSource(input);
  try {
    const { header, dataStart } = await readHeader(source);
    const length = header.elements * bytesPerElement(header.dtype);
    const end = dataStart + length;
    const fail = wrongSize(header, end);
    // Before anything is read, where the size is known; else the reading finds it.
    if (source.size !== undefined) await expectEnd(source, end, fail);
    const bytes = await source.read(dataStart, length);
    await expectEnd(source, end, fail);
    // A file may shrink while it is read.
    if (bytes.length < length) throw fail(String(dataStart + bytes.length), true);
    return decode(header, bytes);
  } finally {
    await source.close();
  }
}

/**
 * The chunks of a `.npy` file: version 1.0, row-major, little-endian, its data at a multiple of 64 bytes.
 *
 * Follows https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
 *
 * @throws ShapeError if the data is not as long as the shape says; FormatError if it is of another type, or bf16.
 */
export async function* writeNpy(tensor: Writable): AsyncGenerator<Uint8Array> {
  const code = npyCode(tensor.dtype);
  if (!code)
    throw new FormatError(
      `npy: the array is ${tensor.dtype}, for which NumPy has no name. Write f32 or f16.`,
    );
  const bytes = await fileBytes("npy: the array", tensor);
  const shape = tensor.shape.length === 1 ? `${tensor.shape[0]},` : tensor.shape.join(", ");
  const dict = `{'descr': '${code.endsWith("1") ? "|" : "<"}${code}', 'fortran_order': False, 'shape': (${shape}), }`;
  // At most 64 axes keep this far below the 65,535 bytes that a version 1.0 header may have.
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const header = Uint8Array.from(`${MAGIC}\x01\x00\x00\x00${dict.padEnd(length - 11)}\n`, (char) =>
    char.charCodeAt(0),
  );
  new DataView(header.buffer).setUint16(8, length - 10, true);
  yield header;
  yield bytes;
}

async function readHeader(source: ByteSource): Promise<{ header: NpyHeader; dataStart: number }> {
  const prefix = await source.read(0, 8);
  const magic = String.fromCharCode(...prefix.subarray(0, 6));
  if (magic !== MAGIC)
    throw npyError(
      `the file begins with ${JSON.stringify(magic)}, not ${JSON.stringify(MAGIC)}`,
      "This is no .npy file",
    );
  const [major = 0, minor = 0] = prefix.subarray(6);
  if (major < 1 || major > 3 || minor !== 0)
    throw npyError(`the version is ${major}.${minor}, not 1.0, 2.0 or 3.0`, "Save it with np.save");
  const lengthBytes = major === 1 ? 2 : 4;
  const field = await source.read(8, lengthBytes);
  if (field.length < lengthBytes)
    throw npyError(
      `the length of the header takes ${lengthBytes} bytes but ${field.length} follow`,
      TRUNCATED,
    );
  const length = field.reduceRight((sum, byte) => sum * 256 + byte, 0);
  if (length > MAX_HEADER_BYTES)
    throw npyError(
      `the header claims ${length} bytes but may have ${MAX_HEADER_BYTES}`,
      "Save a plain numeric array",
    );
  const bytes = await source.read(8 + lengthBytes, length);
  if (bytes.length < length)
    throw npyError(`the header claims ${length} bytes but ${bytes.length} follow`, TRUNCATED);
  // Whatever the version's encoding, a header that is accepted is ASCII.
  return { header: parseNpyHeader(String.fromCharCode(...bytes)), dataStart: 8 + lengthBytes + length };
}

function wrongSize({ dtype, shape }: NpyHeader, end: number): (size: string, short: boolean) => FormatError {
  const what = `the header and ${dtype} [${shape}] take ${end} bytes but the source has`;
  return (size, short) =>
    npyError(
      `${what} ${size}`,
      short ? TRUNCATED : "Cut off what follows the array, or fetch the file again",
    );
}

function decode({ dtype, bigEndian, fortran, shape }: NpyHeader, bytes: Uint8Array): HostTensor {
  const size = bytesPerElement(dtype);
  const tensor = hostTensor(dtype, shape, bigEndian && size > 1 ? swapped(bytes, size) : bytes);
  return fortran && shape.length > 1
    ? ({ ...tensor, data: rowMajor(tensor.data, shape) } as HostTensor)
    : tensor;
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += size)
    for (let j = 0; j < size; j++) out[i + j] = bytes[i + size - 1 - j]!;
  return out;
}

/** Lay column-major `data` out row-major. */
function rowMajor(data: HostArray, shape: readonly number[]): HostArray {
  const out = data.slice();
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  const index = shape.map(() => 0);
  for (let to = 0, from = 0; to < out.length; to++) {
    out[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
