import type { Prepared, Program } from "./program.ts";

/** Waits for something that the driver does. */
type Wait = <T>(work: Promise<T>) => Promise<T>;

/** Measures what programs take: by the GPU's clock where there is one for that, else by how long one waits. */
export class Stopwatch {
  readonly #device: GPUDevice;
  readonly #wait: Wait;
  readonly #clock: Clock | undefined;

  constructor(device: GPUDevice, wait: Wait = (work) => work) {
    this.#device = device;
    this.#wait = wait;
    if (device.features.has("timestamp-query")) this.#clock = new Clock(device);
  }

  /** Run a program so many times in a row; microseconds of each run. */
  async time(program: Program, runs: number): Promise<number> {
    const { queue } = this.#device;
    program.write(queue);
    const { launches } = program;
    const encoder = this.#device.createCommandEncoder({ label: "stopwatch" });
    const clock = this.#clock;
    encode(encoder, Array(runs).fill(launches).flat(), clock?.queries);
    clock?.resolve(encoder);
    const start = performance.now();
    queue.submit([encoder.finish()]);
    if (clock) return (await this.#wait(clock.read())) / runs;
    await this.#wait(queue.onSubmittedWorkDone());
    return (1000 * (performance.now() - start)) / runs;
  }

  destroy(): void {
    this.#clock?.destroy();
  }
}

/** Encode launches in as few passes as can be, with the time before the first and after the last one. */
function encode(encoder: GPUCommandEncoder, launches: readonly Prepared[], querySet?: GPUQuerySet): void {
  const passes: Prepared[][] = [];
  for (const launch of launches) {
    if (passes.length === 0 || launch.copies.length > 0) passes.push([]);
    passes.at(-1)!.push(launch);
  }
  const begins = querySet && { querySet, beginningOfPassWriteIndex: 0 };
  const ends = querySet && { querySet, endOfPassWriteIndex: 1 };
  // Copies are part of what a launch takes, and no pass has them in it.
  const hasCopies = passes.some((pass) => pass[0]!.copies.length > 0);
  if (begins && hasCopies) encoder.beginComputePass({ timestampWrites: begins }).end();
  for (const [i, launches] of passes.entries()) {
    for (const copied of launches[0]!.copies) copied.copy(encoder);
    const first = i === 0 && !hasCopies ? begins : undefined;
    const last = i === passes.length - 1 ? ends : undefined;
    const timestampWrites = (first || last) && { ...first, ...last, querySet: querySet! };
    const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
    for (const { pipeline, group, offsets, grid } of launches) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group, offsets);
      pass.dispatchWorkgroups(...grid);
    }
    pass.end();
  }
}

/** Two timestamps, and how they are read. */
class Clock {
  readonly queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(device: GPUDevice) {
    this.queries = device.createQuerySet({ type: "timestamp", count: 2 });
    this.#resolved = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC });
    this.#staging = device.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
  }

  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.queries, 0, 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16);
  }

  /** Microseconds between them, once they are there. */
  async read(): Promise<number> {
    await this.#staging.mapAsync(MAP_MODE_READ);
    const [begin, end] = new BigUint64Array(this.#staging.getMappedRange());
    this.#staging.unmap();
    return Number(end! - begin!) / 1000;
  }

  destroy(): void {
    this.queries.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }
}

// WebGPU's flag objects are globals of a page but not of Node; their values are fixed by the standard.
const MAP_MODE_READ = 0x1;
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const QUERY_RESOLVE = 0x200;
