import {
  bytesPerElement,
  FormatError,
  type HostDType,
  type HostTensor,
  hostTensor,
} from "@shadegrad/tensor/formats";
import type { CheckpointTensor } from "./checkpoint-file.ts";
import { describe } from "./opaque.ts";

/** Number of axes that PyTorch allows. */
const MAX_RANK = 64;

/** A run of elements somewhere in a file, which tensors are views of. */
export interface TorchStorage {
  /** Name in the file. */
  readonly key: string;
  readonly dtype: HostDType;
  readonly elements: number;
  /** Place in the file, compared to others; known once the file is open. */
  position(): number;
  /** All its bytes, little-endian. */
  read(): Promise<Uint8Array>;
}

/** A reader that keeps what it read last: tensors that share a storage follow each other. */
export function lastOnly(read: (key: string) => Promise<Uint8Array>): (key: string) => Promise<Uint8Array> {
  let last: { readonly key: string; readonly bytes: Promise<Uint8Array> } | undefined;
  return (key) => {
    if (last?.key === key) return last.bytes;
    const reading = { key, bytes: read(key) };
    last = reading;
    // A reading that failed may succeed when it is tried again.
    reading.bytes.catch(() => {
      if (last === reading) last = undefined;
    });
    return reading.bytes;
  };
}

/** A tensor as `torch.save` pickles it: element [i, j] is element `offset + i · stride[0] + j · stride[1]` of a storage. */
export class TorchTensor implements CheckpointTensor {
  readonly dtype: HostDType;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly storage: TorchStorage;
  readonly #offset: number;
  readonly #strides: readonly number[];

  /** @throws FormatError unless every element lies within the storage. */
  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    const elements = countOf(shape);
    const last = shape.reduce((at, side, axis) => at + (side - 1) * strides[axis]!, offset);
    // More elements than the storage has, as expand() makes them, would let a small file ask for any memory.
    if (elements > 0 && !(last < storage.elements && elements <= storage.elements))
      throw new FormatError(
        `pickle: a tensor [${shape}] with strides [${strides}] from element ${offset} does not fit its storage of ${storage.elements} elements. Fetch the file again, or save tensors made contiguous.`,
      );
    this.dtype = storage.dtype;
    this.shape = shape;
    this.elements = elements;
    this.storage = storage;
    this.#offset = offset;
    this.#strides = strides;
  }

  get position(): number {
    return this.storage.position();
  }

  async read(): Promise<HostTensor> {
    const { dtype, shape, elements } = this;
    const width = bytesPerElement(dtype);
    if (elements === 0) return hostTensor(dtype, shape, new Uint8Array());
    const bytes = await this.storage.read();
    const start = this.#offset * width;
    const isRowMajor = shape.every(
      (side, axis) => side === 1 || this.#strides[axis] === countOf(shape.slice(axis + 1)),
    );
    const own = isRowMajor
      ? bytes.subarray(start, start + elements * width)
      : this.#gather(bytes, width, elements);
    return hostTensor(dtype, shape, own);
  }

  #gather(bytes: Uint8Array, width: number, elements: number): Uint8Array {
    const { shape } = this;
    const strides = this.#strides.map((stride) => stride * width);
    const out = new Uint8Array(elements * width);
    let at = 0;
    const visit = (axis: number, offset: number): void => {
      if (axis === shape.length) {
        for (let i = 0; i < width; i++) out[at++] = bytes[offset + i]!;
      } else for (let i = 0; i < shape[axis]!; i++) visit(axis + 1, offset + i * strides[axis]!);
    };
    visit(0, this.#offset * width);
    return out;
  }
}

/**
 * The tensor that a pickle asks to rebuild, its numbers checked.
 *
 * @throws FormatError if they are no numbers, or point beyond the storage.
 */
export function rebuildTensor(
  storage: unknown,
  offset: unknown,
  size: unknown,
  stride: unknown,
): TorchTensor {
  if (!isStorage(storage))
    throw new FormatError(
      `pickle: a tensor is made of ${describe(storage)}, not of a storage. Fetch the file again.`,
    );
  const shape = counts(size, "a shape");
  const strides = counts(stride, "strides");
  const [start] = counts([offset], "an offset");
  if (shape.length !== strides.length)
    throw new FormatError(
      `pickle: a tensor [${shape}] has strides [${strides}], of another number of axes. Fetch the file again.`,
    );
  return new TorchTensor(storage, start!, shape, strides);
}

/** Elements of a shape; beside a side of 0, the others may be of any size. */
const countOf = (shape: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((count, side) => count * side, 1);

const isStorage = (value: unknown): value is TorchStorage =>
  typeof value === "object" && value !== null && "elements" in value && "read" in value;

/** A copy, since the pickle goes on and may change its own list. */
function counts(value: unknown, what: string): number[] {
  if (!Array.isArray(value))
    throw new FormatError(`pickle: ${what} is ${describe(value)}, not a tuple. Fetch the file again.`);
  if (value.length > MAX_RANK)
    throw new FormatError(
      `pickle: ${what} has ${value.length} axes, more than ${MAX_RANK}. Fetch the file again.`,
    );
  const wrong = value.find((item) => !Number.isSafeInteger(item) || item < 0);
  if (wrong !== undefined)
    throw new FormatError(
      `pickle: ${what} has ${describe(wrong)} where a whole number ≥ 0 belongs. Fetch the file again.`,
    );
  return [...(value as number[])];
}
