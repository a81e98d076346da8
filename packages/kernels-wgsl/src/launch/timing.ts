import type { Kernel, ParamValues } from "./kernel.ts";

export interface Launched {
  readonly kernel: string;
  readonly variant: string;
  readonly params: ParamValues;
  /** Operations, and bytes that must move at least once; undefined if the kernel has no `cost`. */
  readonly cost: { flops: number; bytes: number } | undefined;
  /** The launch that it is a stage of, if it is one: the same object for all of its stages. */
  readonly stageOf: Launched | undefined;
}

/** Report of a launch, for observers. */
export function launchedOf<P extends ParamValues>({
  kernel,
  variant,
  params,
  stageOf,
}: {
  kernel: Kernel<P>;
  variant: { readonly name: string };
  params: P;
  stageOf: Launched | undefined;
}): Launched {
  return { kernel: kernel.name, variant: variant.name, params, cost: kernel.cost?.(params), stageOf };
}

export interface Timing extends Launched {
  readonly microseconds: number;
}

/** Times of launches, the stages of each added up: one timing each. */
export function perLaunch(timings: readonly Timing[]): Timing[] {
  const sums: Timing[] = [];
  let launch: Launched | undefined;
  for (const timing of timings) {
    const last = sums.at(-1);
    if (last && timing.stageOf && timing.stageOf === launch) {
      sums[sums.length - 1] = { ...last, microseconds: last.microseconds + timing.microseconds };
    } else sums.push(timing.stageOf ? { ...timing.stageOf, microseconds: timing.microseconds } : timing);
    launch = timing.stageOf;
  }
  return sums;
}

const CAPACITY = 128;

/** Two timestamps around each launch, read back after each batch. */
export class Timer {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  #launches: Launched[] = [];
  #staging: GPUBuffer | undefined;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#queries = device.createQuerySet({ type: "timestamp", count: 2 * CAPACITY });
    this.#resolved = device.createBuffer({ size: 16 * CAPACITY, usage: QUERY_RESOLVE | COPY_SRC });
  }

  get full(): boolean {
    return this.#launches.length >= CAPACITY;
  }

  next(launch: Launched): GPUComputePassTimestampWrites {
    const first = 2 * this.#launches.length;
    this.#launches.push(launch);
    return { querySet: this.#queries, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    const count = this.#launches.length;
    if (count === 0) return;
    this.#staging = this.#device.createBuffer({ size: 16 * count, usage: MAP_READ | COPY_DST });
    encoder.resolveQuerySet(this.#queries, 0, 2 * count, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16 * count);
  }

  read(report: (timings: Timing[]) => void): void {
    const staging = this.#staging;
    const launches = this.#launches;
    this.#launches = [];
    this.#staging = undefined;
    staging?.mapAsync(MAP_MODE_READ).then(
      () => {
        const ticks = new BigUint64Array(staging.getMappedRange());
        report(
          launches.map((launch, i) => ({
            ...launch,
            microseconds: Number(ticks[2 * i + 1]! - ticks[2 * i]!) / 1000,
          })),
        );
        staging.destroy();
      },
      () => {}, // the device was lost, which is reported by itself
    );
  }
}

const MAP_MODE_READ = 0x1;
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const QUERY_RESOLVE = 0x200;
