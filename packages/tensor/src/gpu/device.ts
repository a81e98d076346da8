import { type Adapter, Launcher } from "@shadegrad/kernels-wgsl";
import { DeviceError } from "../errors.ts";
import type { Opened } from "./adapter.ts";
import { traceLaunches, traceMemory, traceShaders } from "./debug.ts";
import { restFor } from "./polling.ts";
import { BufferPool, bytesText } from "./pool.ts";
import type { Precision } from "./precision.ts";

/** GPU objects made so far and memory held: in a loop in steady state, all but the first two stand still. */
export interface DeviceCounts {
  launches: number;
  submits: number;
  pipelines: number;
  bindGroups: number;
  buffers: number;
  /** Bytes in buffers and textures, how many of them are free for reuse, and how many launches use for themselves. */
  bytes: number;
  freeBytes: number;
  scratchBytes: number;
}

/** Part of a buffer, from `offset` bytes on. */
interface BufferPlace {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

let count = 0;

/** A GPU, the commands gathered for it, and its memory. */
export class Device {
  /** Position in the order of opening. */
  readonly serial = count++;
  /** Name of the adapter, by its driver. */
  readonly name: string;
  readonly adapter: Adapter;
  /** Precision of products, where `autocast` does not say otherwise. */
  readonly precision: Precision;
  /** Variants of kernels that `tune` found to be the fastest here, by tuning key. */
  readonly tuned: ReadonlyMap<string, string>;
  readonly gpu: GPUDevice;
  readonly launcher: Launcher;
  /** Resolves, with the reason, when the device is lost; it never rejects. */
  readonly lost: Promise<DeviceError>;
  /** Hook for debugging, awaited after each reading. */
  onRead: (() => Promise<void>) | undefined;
  readonly #tuned: Map<string, string>;
  readonly #rest: <T>(work: Promise<T>) => Promise<T>;
  readonly #unlisten: () => void;
  /** Bytes that it binds at once. Dawn's binding takes microseconds to read limits. */
  readonly largest: number;
  readonly #pool: BufferPool;
  readonly #staging: BufferPool;
  #failure: Error | undefined;
  #reject: ((error: Error) => void)[] = [];

  constructor(opened: Opened, tuned: ReadonlyMap<string, string> = new Map()) {
    const { gpu, adapter, description, precision, completion } = opened;
    this.gpu = gpu;
    this.largest = Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize);
    this.#tuned = new Map(tuned);
    this.tuned = this.#tuned;
    this.adapter = { ...adapter, tuned: this.tuned };
    this.precision = precision;
    this.name = description;
    this.#rest = restFor(completion, adapter.software, gpu.queue);
    const fail = (error: Error) => this.#fail(error);
    this.launcher = new Launcher(gpu, this.adapter, fail);
    const exhausted = (error: Error) => {
      this.trim();
      fail(error);
    };
    this.#pool = new BufferPool(gpu, STORAGE | COPY_SRC | COPY_DST, exhausted);
    this.#staging = new BufferPool(gpu, MAP_READ | COPY_DST, exhausted);
    const onError = (event: GPUUncapturedErrorEvent) => {
      event.preventDefault();
      fail(new DeviceError(`WebGPU: ${event.error.message}`));
    };
    gpu.addEventListener("uncapturederror", onError);
    // In Node a listener keeps a device, and its threads, for good.
    this.#unlisten = () => gpu.removeEventListener("uncapturederror", onError);
    this.lost = gpu.lost.then(({ reason, message }) => {
      const error = new DeviceError(
        `the device was lost (${reason}): ${message || "no reason given"}. Its tensors are gone; init() opens a new one.`,
      );
      this.#isLost = true;
      this.#unlisten();
      this.#fail(error);
      return error;
    });
    traceLaunches(this.launcher, adapter);
    traceShaders(this.launcher);
  }

  #isLost = false;

  get isLost(): boolean {
    return this.#isLost;
  }

  get counts(): DeviceCounts {
    const { buffers, bytes, free } = this.#pool.counts;
    const staging = this.#staging.counts;
    const { counts } = this.launcher;
    return {
      ...counts,
      buffers: buffers + staging.buffers,
      bytes: bytes + staging.bytes + counts.scratchBytes,
      freeBytes: free + staging.free,
    };
  }

  /** Launch this variant where a launch has this tuning key, from the next one on. */
  useVariant(key: string, variant: string): void {
    this.#tuned.set(key, variant);
    this.launcher.forgetChoices();
  }

  /** @throws DeviceError if the device cannot bind so much at once. */
  checkFits(bytes: number, what: { toString(): string }): void {
    const most = this.largest;
    if (bytes > most) {
      throw new DeviceError(
        `${what} needs ${bytesText(bytes)}; this device binds at most ${bytesText(most)}.`,
      );
    }
  }

  /**
   * A buffer for `bytes` of tensor.
   *
   * @throws DeviceError if the device cannot bind so much at once.
   */
  allocate(bytes: number, what: { toString(): string }): GPUBuffer {
    this.checkFits(bytes, what);
    const buffer = this.#pool.take(bytes);
    traceMemory("+", buffer, this.#pool);
    return buffer;
  }

  /** Take a buffer back. Earlier launches may still use it; later ones may get it. */
  free(buffer: GPUBuffer): void {
    if (this.#isLost) return;
    this.#pool.give(buffer);
    traceMemory("−", buffer, this.#pool);
  }

  /** Memory of exactly `bytes` for many tensors, until `release`. */
  reserve(bytes: number): GPUBuffer {
    const buffer = this.#pool.reserve(bytes);
    traceMemory("+", buffer, this.#pool);
    return buffer;
  }

  release(buffer: GPUBuffer): void {
    this.launcher.flush();
    this.#pool.destroy(buffer);
    traceMemory("−", buffer, this.#pool);
  }

  /** Destroy free buffers. */
  trim(): void {
    this.launcher.flush();
    this.#pool.trim();
    this.#staging.trim();
  }

  /** Replace the first bytes of part of a buffer. */
  write({ buffer, offset }: BufferPlace, data: ArrayBufferView): void {
    // A write overtakes commands that have gathered, and one of them may still read what was in here.
    this.launcher.flush();
    const whole = data.byteLength & ~3;
    const { queue } = this.gpu;
    queue.writeBuffer(buffer, offset, data.buffer as ArrayBuffer, data.byteOffset, whole);
    if (whole < data.byteLength) {
      const rest = new Uint8Array(4);
      rest.set(new Uint8Array(data.buffer, data.byteOffset + whole, data.byteLength - whole));
      queue.writeBuffer(buffer, offset + whole, rest);
    }
  }

  /**
   * The first `bytes` of part of a buffer, once everything launched before is done.
   *
   * @throws DeviceError if the device was lost or ran out of memory on the way.
   */
  async read({ buffer, offset }: BufferPlace, bytes: number): Promise<ArrayBuffer> {
    if (bytes === 0) {
      await this.synchronize();
      return new ArrayBuffer(0);
    }
    const size = Math.ceil(bytes / 4) * 4;
    const staging = this.#staging.take(size);
    this.launcher.copy(buffer, offset, staging, 0, size);
    this.launcher.flush();
    const mapped = staging.mapAsync(MAP_MODE_READ, 0, size);
    const giveBack = () => {
      staging.unmap();
      if (!this.#isLost) this.#staging.give(staging);
    };
    try {
      await this.#settled(mapped);
    } catch (error) {
      // The mapping may still be under way: it may be something else that failed.
      mapped.then(giveBack, () => this.#staging.destroy(staging)).catch(() => {}); // the error is thrown below
      throw error;
    }
    const copy = staging.getMappedRange(0, size).slice(0, bytes);
    giveBack();
    await this.onRead?.();
    return copy;
  }

  /**
   * Wait until everything launched so far is done.
   *
   * @throws DeviceError if the device was lost or ran out of memory on the way.
   */
  async synchronize(): Promise<void> {
    this.launcher.flush();
    await this.#settled(this.gpu.queue.onSubmittedWorkDone());
  }

  /** Wait for work of the driver in the way that suits the platform; all waiting goes through here. */
  rest<T>(work: Promise<T>): Promise<T> {
    return this.#rest(work);
  }

  /** Destroy the device with everything on it. */
  destroy(): void {
    this.#isLost = true;
    this.#unlisten();
    this.gpu.destroy();
  }

  /** Keep an error until the next await, which throws it: a loss each time, another error once. */
  #fail(error: Error): void {
    this.#failure ??= error;
    for (const reject of this.#reject) reject(error);
    this.#reject = [];
  }

  async #settled(work: Promise<unknown>): Promise<void> {
    let reject: (error: Error) => void = () => {};
    const failed = new Promise<never>((_, rejects) => {
      reject = rejects;
      this.#reject.push(rejects);
    });
    try {
      if (!this.#failure) await this.rest(Promise.race([work, failed]));
    } catch (error) {
      // Mapping fails the moment the device is lost, a little before the reason is known.
      const aborted = (error as Error).name === "AbortError";
      this.#failure ??= await (aborted
        ? Promise.race([this.lost, after(1000, error as Error)])
        : (error as Error));
    } finally {
      this.#reject = this.#reject.filter((other) => other !== reject);
    }
    const failure = this.#failure;
    if (!failure) return;
    if (!this.#isLost) this.#failure = undefined;
    work.catch(() => {});
    throw failure;
  }
}

const after = <T>(milliseconds: number, value: T): Promise<T> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds, value));

const MAP_MODE_READ = 0x1;
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const STORAGE = 0x80;
