import { BindGroups, type Bound, bind, copiesOf } from "./bindings.ts";
import type { Copied } from "./copies.ts";
import type { Epilogue } from "./epilogue.ts";
import {
  type Adapter,
  type Holes,
  type Kernel,
  KernelError,
  layout,
  type ParamValues,
  writeParams,
} from "./kernel.ts";
import { Pipelines } from "./pipelines.ts";
import type { Placed } from "./placed.ts";
import { prepare } from "./prepare.ts";
import type { Copy, Planned, Program } from "./program.ts";
import { Recipes, type Step } from "./recipes.ts";
import { Relay } from "./relay.ts";
import { type Resolved, resolve } from "./resolve.ts";
import { Scratch } from "./scratch.ts";
import { type Launched, launchedOf, Timer, type Timing } from "./timing.ts";

/** GPU objects made so far; a loop in steady state makes none. */
export interface LaunchCounts {
  launches: number;
  submits: number;
  pipelines: number;
  bindGroups: number;
  /** Bytes of memory that launches use for themselves: between their stages, and for operands that they copy. */
  scratchBytes: number;
}

export interface LaunchOptions {
  holes?: Holes;
  epilogue?: Epilogue | undefined;
  /** The variant to take, by name, in place of the kernel's own choice. */
  variant?: string | undefined;
}

const ARENA_BYTES = 65_536;
const MAX_BIND_GROUPS = 4096;

/**
 * Turns kernels, parameters and buffers into GPU commands, and submits them in batches.
 *
 * Commands keep their order. `Params` of a whole batch travel in one uniform arena, addressed by
 * dynamic offsets, so that a launch needs no buffer of its own and its bind group can be reused.
 */
export class Launcher {
  readonly counts: LaunchCounts = {
    ...{ launches: 0, submits: 0, pipelines: 0, bindGroups: 0, scratchBytes: 0 },
  };
  /** Called after each batch with what every launch took, where the device has timestamps. */
  onTimings: ((timings: Timing[]) => void) | undefined;
  /** Called for each launch. */
  onLaunch: ((launched: Launched) => void) | undefined;
  /** Called for each shader that is compiled, with its text. */
  onShader: ((label: string, code: string) => void) | undefined;
  readonly #device: GPUDevice;
  readonly #adapter: Adapter;
  readonly #batch: number;
  readonly #align: number;
  readonly #arena: GPUBuffer;
  readonly #params = new DataView(new ArrayBuffer(ARENA_BYTES));
  readonly #pipelines: Pipelines;
  readonly #groups: BindGroups;
  readonly #relay: Relay;
  readonly #scratch: Scratch;
  #timer: Timer | undefined;
  #used = 0;
  #pending = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  /** Set in the pass. */
  #pipeline: GPUComputePipeline | undefined;
  readonly #recipes = new Recipes();
  /** Workgroups along an axis. */
  readonly #limit: number;
  /** The arena as a launch binds it, by the size of its `Params`. */
  readonly #arenas: Placed[] = [];
  /** The one dynamic offset of a launch. */
  readonly #offsets = [0];

  /**
   * @param fail called with the error of a shader that does not compile, which WebGPU reports asynchronously
   * @param batch launches after which the commands gathered so far are submitted
   */
  constructor(device: GPUDevice, adapter: Adapter, fail: (error: Error) => void, batch = 64) {
    this.#device = device;
    this.#adapter = adapter;
    const compiled = (label: string, code: string) => {
      this.counts.pipelines++;
      this.onShader?.(label, code);
    };
    this.#pipelines = new Pipelines(device, compiled, fail);
    this.#relay = new Relay(device);
    this.#groups = new BindGroups(device, this.counts, () => {
      this.flush();
      this.#relay.clear();
    });
    this.#scratch = new Scratch(device, this.counts, adapter.rasteriser);
    this.#batch = batch;
    this.#limit = device.limits.maxComputeWorkgroupsPerDimension;
    this.#align = Math.max(16, device.limits.minUniformBufferOffsetAlignment);
    this.#arena = device.createBuffer({
      label: "Params",
      size: ARENA_BYTES,
      usage: GPU_UNIFORM | GPU_COPY_DST,
    });
  }

  /**
   * Run a kernel on `buffers` or parts of them (its reads, those of the epilogue that there are, its writes) once everything launched before is done.
   *
   * @throws KernelError if the buffers are not as many as the bindings, or the grid is too large.
   */
  launch<P extends ParamValues>(
    kernel: Kernel<P>,
    params: P,
    buffers: readonly Placed[],
    { holes = {}, epilogue, variant }: LaunchOptions = {},
  ): void {
    const request = { kernel, params, buffers: buffers.length, holes, epilogue, variant };
    const decide = (): Step[] =>
      resolve(request, this.#adapter, this.#limit).map((resolved) => ({
        resolved,
        pipeline: this.#pipelines.find(resolved),
      }));
    // Observers are given each launch's own parameters.
    const isObserved = this.onLaunch !== undefined || this.#timer !== undefined;
    const steps = isObserved ? decide() : this.#recipes.find(request, decide);
    for (const step of steps) this.#dispatch(step, params, buffers);
  }

  /** Choose variants again from here on: the adapter's `tuned` has changed. */
  forgetChoices(): void {
    this.#recipes.clear();
  }

  #dispatch({ resolved, pipeline }: Step, params: ParamValues, buffers: readonly Placed[]): void {
    const { kernel, grid, paramsFrom } = resolved;
    pipeline.gpu ??= this.#pipelines.compile(resolved, pipeline);
    this.#offsets[0] = this.#writeParams(kernel, paramsFrom(params));
    const own = bind(this.#scratch, resolved, buffers, this.#arenaOf(layout(kernel.params).size));
    const bound = this.#groups.tooMany ? this.#relay.relayed(own) : own;
    const pass = this.#passFor(resolved, bound);
    this.#setPipeline(pass, pipeline.gpu);
    // Bounds what buffers that were destroyed meanwhile leave behind.
    if (pipeline.groups.size >= MAX_BIND_GROUPS) pipeline.groups.clear();
    pass.setBindGroup(0, this.#groups.find(pipeline.groups, kernel.name, pipeline, bound), this.#offsets);
    pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    if (bound !== own) {
      this.#closePass();
      this.#relay.copyBack(bound, kernel.reads.length, this.#open());
    }
    this.counts.launches++;
    if (this.onLaunch) this.onLaunch(launchedOf(resolved));
    if (++this.#pending >= this.#batch || this.#timer?.full) this.flush();
  }

  /** The pass that is open, or one that begins after the copies that the launch needs. */
  #passFor(resolved: Resolved, bound: readonly Bound[]): GPUComputePassEncoder {
    const copies = copiesOf(bound);
    if (this.#pass && !this.#timer && copies.length === 0) return this.#pass;
    return this.#openPass(() => launchedOf(resolved), copies);
  }

  /** Each call into Dawn from Node costs one or two microseconds. */
  #setPipeline(pass: GPUComputePassEncoder, pipeline: GPUComputePipeline): void {
    if (pipeline !== this.#pipeline) pass.setPipeline(pipeline);
    this.#pipeline = pipeline;
  }

  #arenaOf(size: number): Placed {
    return (this.#arenas[size] ??= { buffer: this.#arena, size });
  }

  /** Copy bytes between buffers, in order with the launches. Offsets and size are multiples of 4. */
  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void {
    if (bytes === 0) return;
    this.#closePass();
    this.#open().copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
    this.#pending++;
  }

  /**
   * Make everything that these launches need, to run them many times. `progress` is called with the number of pipelines that
   * are compiled and the total.
   *
   * @throws KernelError if a shader does not compile, or a launch is not allowed.
   */
  prepare(
    planned: readonly Planned[],
    progress: (done: number, of: number) => void = () => {},
  ): Promise<Program> {
    const maker = {
      ...{ device: this.#device, adapter: this.#adapter, pipelines: this.#pipelines },
      ...{ groups: this.#groups, counts: this.counts, alignment: this.#align },
    };
    return prepare(maker, planned, progress);
  }

  /** Copy, run a program, copy, and submit, all with what has gathered before, in one go. */
  replay(program: Program, before: readonly Copy[] = [], after: readonly Copy[] = []): void {
    for (const copy of before) this.#copy(copy);
    program.write(this.#device.queue);
    for (const prepared of program.launches) {
      const { pipeline, group, grid, offsets, copies, launched } = prepared;
      const isOpen = this.#pass && !this.#timer && copies.length === 0;
      const pass = isOpen ? this.#pass! : this.#openPass(() => launched, copies);
      this.#setPipeline(pass, pipeline);
      pass.setBindGroup(0, group, offsets);
      pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
      this.counts.launches++;
      this.onLaunch?.(launched);
      if (this.#timer?.full) this.flush();
    }
    for (const copy of after) this.#copy(copy);
    this.flush();
  }

  #copy({ from, to, bytes }: Copy): void {
    this.copy(from.buffer, from.offset ?? 0, to.buffer, to.offset ?? 0, bytes);
  }

  /** Submit what has gathered. */
  flush(): void {
    if (!this.#encoder) return;
    this.#closePass();
    if (this.#used > 0) this.#device.queue.writeBuffer(this.#arena, 0, this.#params.buffer, 0, this.#used);
    this.#timer?.resolve(this.#encoder);
    this.#device.queue.submit([this.#encoder.finish()]);
    this.#timer?.read((timings) => this.onTimings?.(timings));
    this.#scratch.trim();
    this.counts.submits++;
    this.#encoder = undefined;
    this.#used = 0;
    this.#pending = 0;
  }

  /** Measure every launch from here on: each gets a pass, and two timestamps, of its own. */
  startTiming(): void {
    this.flush();
    if (!this.#adapter.features.has("timestamp-query")) {
      throw new KernelError(
        `${this.#adapter.key} has no timestamp-query: launches cannot be timed one by one`,
      );
    }
    this.#timer = new Timer(this.#device);
  }

  stopTiming(): void {
    this.flush();
    this.#timer = undefined;
  }

  #open(): GPUCommandEncoder {
    this.#encoder ??= this.#device.createCommandEncoder();
    return this.#encoder;
  }

  #openPass(launch: () => Launched, copies: readonly Copied[]): GPUComputePassEncoder {
    if (this.#timer || copies.length > 0) this.#closePass();
    let times = this.#timer?.next(launch());
    if (times && copies.length > 0) {
      // The time of a launch has that of its copies in it.
      const { querySet, beginningOfPassWriteIndex, endOfPassWriteIndex } = times;
      const begin = { querySet, beginningOfPassWriteIndex: beginningOfPassWriteIndex! };
      this.#open().beginComputePass({ timestampWrites: begin }).end();
      times = { querySet, endOfPassWriteIndex: endOfPassWriteIndex! };
    }
    for (const copied of copies) copied.copy(this.#open());
    this.#pass ??= this.#open().beginComputePass(times ? { timestampWrites: times } : {});
    return this.#pass;
  }

  #closePass(): void {
    this.#pass?.end();
    this.#pass = undefined;
    this.#pipeline = undefined;
  }

  #writeParams<P extends ParamValues>(kernel: Kernel<P>, params: P): number {
    const { size } = layout(kernel.params);
    if (this.#used + size > ARENA_BYTES) this.flush();
    const offset = this.#used;
    writeParams(kernel, params, this.#params, offset);
    this.#used = Math.ceil((offset + size) / this.#align) * this.#align;
    return offset;
  }
}

// WebGPU's flag objects are globals of a page but not of Node; their values are fixed by the standard.
const GPU_COPY_DST = 0x08;
const GPU_UNIFORM = 0x40;
