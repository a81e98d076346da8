import { DeviceError } from "../errors.ts";

/** Bytes as text, in MiB or the largest unit of which there is one. */
export function bytesText(bytes: number): string {
  const unit = Math.max(Math.floor(Math.log2(bytes) / 10), 2);
  return `${Number((bytes / 1024 ** unit).toPrecision(3))} ${"MGTPEZY"[unit - 2]}iB`;
}

/** A buffer with its order of creation and bytes: `buffer.size` is a call into the driver's binding. */
interface Made {
  readonly buffer: GPUBuffer;
  readonly age: number;
  readonly size: number;
}

/**
 * Buffers that are used again: a loop in steady state creates none.
 *
 * Sizes are rounded up to eight classes per doubling, so that at most an eighth is wasted. The free
 * buffer that was created first goes out first: with the same requests each step hands out the
 * same buffers, and the bind groups made for them serve again.
 */
export class BufferPool {
  /** Buffers created so far, and bytes in those that live. */
  readonly counts = { buffers: 0, bytes: 0, free: 0 };
  readonly #device: GPUDevice;
  readonly #largest: number;
  readonly #usage: GPUBufferUsageFlags;
  readonly #exhausted: (error: Error) => void;
  readonly #free = new Map<number, Made[]>();
  readonly #made = new WeakMap<GPUBuffer, Made>();

  /** @param exhausted called some time later if there was no memory for a buffer */
  constructor(device: GPUDevice, usage: GPUBufferUsageFlags, exhausted: (error: Error) => void) {
    this.#device = device;
    this.#largest = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
    this.#usage = usage;
    this.#exhausted = exhausted;
  }

  take(bytes: number): GPUBuffer {
    const size = sizeClass(bytes, this.#largest);
    const free = this.#free.get(size)?.shift();
    if (!free) return this.#create(size);
    this.counts.free -= size;
    return free.buffer;
  }

  /** A buffer of exactly that size outside the pool, until `destroy`. */
  reserve(bytes: number): GPUBuffer {
    return this.#create(bytes);
  }

  destroy(buffer: GPUBuffer): void {
    if (!this.#made.delete(buffer)) return; // there was no memory for it
    this.counts.bytes -= buffer.size;
    buffer.destroy();
  }

  give(buffer: GPUBuffer): void {
    const made = this.#made.get(buffer);
    if (!made) return; // there was no memory for it
    const { age, size } = made;
    let free = this.#free.get(size);
    if (!free) this.#free.set(size, (free = []));
    let at = free.length;
    while (at > 0 && free[at - 1]!.age > age) at--;
    free.splice(at, 0, made);
    this.counts.free += size;
  }

  /** Destroy free buffers. */
  trim(): void {
    for (const free of this.#free.values()) {
      for (const { buffer, size } of free) {
        this.counts.bytes -= size;
        buffer.destroy();
      }
    }
    this.#free.clear();
    this.counts.free = 0;
  }

  /** Never hand out a buffer that the device had no memory for, though it may have been given back by now. */
  #discard(buffer: GPUBuffer): void {
    this.#made.delete(buffer);
    this.counts.bytes -= buffer.size;
    const free = this.#free.get(buffer.size) ?? [];
    const at = free.findIndex((made) => made.buffer === buffer);
    if (at < 0) return;
    free.splice(at, 1);
    this.counts.free -= buffer.size;
  }

  #create(size: number): GPUBuffer {
    const { bytes, free } = this.counts;
    this.#device.pushErrorScope("out-of-memory");
    const buffer = this.#device.createBuffer({ size, usage: this.#usage });
    this.#device.popErrorScope().then(
      (error) => {
        if (!error) return;
        this.#discard(buffer);
        this.#exhausted(
          new DeviceError(
            `out of memory: ${bytesText(size)} asked for with ${bytesText(bytes - free)} in use and ${bytesText(free)} kept for reuse, which have been given back now, as by device.trim(). ${error.message}`,
          ),
        );
      },
      () => {}, // the device was lost, which is reported by itself
    );
    this.#made.set(buffer, { buffer, size, age: this.counts.buffers++ });
    this.counts.bytes += size;
    return buffer;
  }
}

const LEAST = 256;

function sizeClass(bytes: number, most: number): number {
  if (bytes <= LEAST) return LEAST;
  const step = Math.max(LEAST, 2 ** (Math.floor(Math.log2(bytes)) - 3));
  // Rounding up must not push a buffer that the device can bind over its limit.
  return Math.min(Math.ceil(bytes / step) * step, Math.max(Math.floor(most / 4) * 4, bytes));
}
