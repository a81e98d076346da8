import type { Copy, Placed } from "@shadegrad/kernels-wgsl";
import { bytesOf, type DType, isInteger } from "../core/dtype.ts";
import { Generator } from "../core/generator.ts";
import type { Recorded, TensorBinding } from "../core/recorder.ts";
import type { Storage } from "../core/storage.ts";
import { empty, type Tensor } from "../core/tensor.ts";
import type { Device } from "../gpu/device.ts";
import { randint, uniform } from "../ops/random.ts";

/** Inputs of a launch that is measured: buffers of random numbers, as large as its own. */
export interface Inputs {
  /** Buffers of the kernel's reads, then of its writes. */
  readonly buffers: readonly Placed[];
  /** Copies that fill the outputs with other random numbers, so that an element that is not written shows. */
  readonly before: readonly Copy[];
  /** Copies of the elements to compare into `samples`. */
  readonly after: readonly Copy[];
  /** Each output whole, or, of a large one, parts that are spread over it, its beginning and its end among them. */
  readonly samples: readonly Tensor[];
  dispose(): void;
}

/** @param low least of the random floats, which are below 1; random integers are 0 and 1 */
export function inputsFor({ reads, writes }: Recorded, device: Device, low: number): Inputs {
  const made: Tensor[] = [];
  const random = ({ storage, size, dtype }: TensorBinding): Tensor => {
    const type = dtype as DType;
    const shape = [Math.max(size, Math.floor(storage.bytes / bytesOf(type)))];
    const options = { dtype: type, device, generator: new Generator(made.length) };
    const x = isInteger(type) ? randint(0, 2, shape, options) : uniform(shape, low, 1, options);
    made.push(x);
    return x;
  };
  // A launch may read one tensor in several places.
  const operands = new Map<Storage, Tensor>();
  for (const read of reads) if (!operands.has(read.storage)) operands.set(read.storage, random(read));
  const operandsRead = reads.map(({ storage }) => operands.get(storage)!);
  const begins = writes.map(random);
  const results = begins.map(({ shape, dtype }) => empty(shape, dtype, device));
  const sampled = results.map((y) => sample(y, device));
  made.push(...results, ...sampled.map(({ y }) => y));
  return {
    buffers: [...operandsRead, ...results].map(({ storage }) => storage),
    before: results.map((y, i) => whole(begins[i]!, y)),
    after: sampled.flatMap(({ copies }) => copies),
    samples: sampled.map(({ y }) => y),
    dispose: () => {
      for (const tensor of made) tensor.dispose();
    },
  };
}

const roundUpTo4 = (bytes: number): number => Math.ceil(bytes / 4) * 4;

const whole = (from: Tensor, to: Tensor): Copy => ({
  from: from.storage,
  to: to.storage,
  bytes: roundUpTo4(to.storage.bytes),
});

/** Bytes that are compared at most, and of each part. */
const MOST = 2 ** 24;
const PART = 2 ** 16;

function sample(x: Tensor, device: Device): { y: Tensor; copies: Copy[] } {
  const { bytes, buffer } = x.storage;
  if (bytes <= MOST) {
    const y = empty(x.shape, x.dtype, device);
    return { y, copies: [whole(x, y)] };
  }
  const parts = MOST / PART;
  const y = empty([MOST / bytesOf(x.dtype)], x.dtype, device);
  const copies = Array.from({ length: parts }, (_, i): Copy => {
    const offset = roundUpTo4(((bytes - PART) * i) / (parts - 1));
    const to = { buffer: y.storage.buffer, offset: i * PART };
    return { from: { buffer, offset }, to, bytes: PART };
  });
  return { y, copies };
}
