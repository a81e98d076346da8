import { type Staged, Textures } from "../rasteriser/textures.ts";
import { BindGroups, bind, reserve, stagedOf } from "./bindings.ts";
import {
  type Adapter,
  type Holes,
  type Kernel,
  KernelError,
  layout,
  type ParamValues,
  writeParams,
} from "./kernel.ts";
import { type Pipeline, Pipelines } from "./pipelines.ts";
import { type Copy, type Placed, type Planned, type Prepared, Program } from "./program.ts";
import { type Resolved, resolve } from "./resolve.ts";
import { type Launched, Timer, type Timing } from "./timing.ts";

/** GPU objects made so far; a loop in steady state makes none. */
export interface LaunchCounts {
  launches: number;
  submits: number;
  pipelines: number;
  bindGroups: number;
  /** Bytes in textures that operands are copied to, which software adapters read faster than buffers. */
  textureBytes: number;
}

export interface LaunchOptions {
  holes?: Holes;
  /** The variant to take, by name, in place of the kernel's own choice. */
  variant?: string;
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
    ...{ launches: 0, submits: 0, pipelines: 0, bindGroups: 0, textureBytes: 0 },
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
  readonly #textures: Textures;
  #timer: Timer | undefined;
  #used = 0;
  #pending = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;

  /**
   * @param fail told of a shader that does not compile, which WebGPU finds out asynchronously
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
    this.#groups = new BindGroups(device, this.counts);
    this.#textures = new Textures(device, this.counts);
    this.#batch = batch;
    this.#align = Math.max(16, device.limits.minUniformBufferOffsetAlignment);
    this.#arena = device.createBuffer({
      label: "Params",
      size: ARENA_BYTES,
      usage: GPU_UNIFORM | GPU_COPY_DST,
    });
  }

  /**
   * Run a kernel on `buffers` or parts of them (its reads, then its writes) once everything launched before is done.
   *
   * @throws KernelError if the buffers are not as many as the bindings, or the grid is too large.
   */
  launch<P extends ParamValues>(
    kernel: Kernel<P>,
    params: P,
    buffers: readonly Placed[],
    { holes: given, variant: name }: LaunchOptions = {},
  ): void {
    const resolved = this.#resolve(kernel, params, buffers.length, given, name);
    if (!resolved) return;
    const { variant, holes, grid, pipeline } = resolved;
    pipeline.gpu ??= this.#pipelines.compile(kernel, variant, holes, pipeline);
    const offset = this.#writeParams(kernel, params);
    const bound = bind(this.#textures, kernel, resolved, buffers);
    const pass = this.#openPass(() => launched(kernel, variant.name, params), stagedOf(bound));
    pass.setPipeline(pipeline.gpu);
    const resources = [...bound, { buffer: this.#arena, size: layout(kernel.params).size }];
    // Bounds what buffers that were destroyed meanwhile leave behind.
    if (pipeline.groups.size >= MAX_BIND_GROUPS) pipeline.groups.clear();
    const group = this.#groups.find(pipeline.groups, kernel.name, pipeline, resources);
    pass.setBindGroup(0, group, [offset]);
    pass.dispatchWorkgroups(...grid);
    this.counts.launches++;
    this.onLaunch?.(launched(kernel, variant.name, params));
    if (++this.#pending >= this.#batch || this.#timer?.full) this.flush();
  }

  /** Copy bytes between buffers, in order with the launches. Offsets and size are multiples of 4. */
  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void {
    if (bytes === 0) return;
    this.#closePass();
    this.#open().copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
    this.#pending++;
  }

  /**
   * Make everything that these launches need: pipelines, compiled beside one another, bind groups, and
   * memory for their parameters. `progress` is told how many of how many pipelines are there.
   *
   * @throws KernelError if a shader does not compile, or a launch is not allowed.
   */
  async prepare(
    planned: readonly Planned[],
    progress: (done: number, of: number) => void = () => {},
  ): Promise<Program> {
    const steps = planned.map(({ kernel, params, buffers, holes, variant }) => {
      const resolved = this.#resolve(kernel, params, buffers.length, holes, variant);
      return resolved && { ...resolved, kernel, params, buffers };
    });
    const some = steps.filter((step) => step !== undefined);
    const missing = new Map(
      some.filter(({ pipeline }) => !pipeline.gpu).map((step) => [step.pipeline, step]),
    );
    let done = 0;
    progress(done, missing.size);
    await Promise.all(
      Array.from(missing.values(), async ({ kernel, variant, holes, pipeline }) => {
        pipeline.gpu = await this.#pipelines.compileAside(kernel, variant, holes, pipeline);
        progress(++done, missing.size);
      }),
    );
    let end = 0;
    const starts = some.map(({ kernel }) => {
      const start = end;
      end = Math.ceil((start + layout(kernel.params).size) / this.#align) * this.#align;
      return start;
    });
    const uniforms = this.#device.createBuffer({
      label: "Params of a program",
      size: Math.max(16, end),
      usage: GPU_UNIFORM | GPU_COPY_DST,
    });
    const textures = new Textures(this.#device, this.counts);
    for (const step of some) reserve(textures, step.kernel, step);
    const groups = new Map<string, GPUBindGroup>();
    const launches = steps.map((step): Prepared | undefined => {
      if (!step) return undefined;
      const { kernel, variant, params, grid, buffers, pipeline } = step;
      const bound = bind(textures, kernel, step, buffers);
      const resources = [...bound, { buffer: uniforms, size: layout(kernel.params).size }];
      const group = this.#groups.find(groups, kernel.name, pipeline, resources);
      return {
        ...{
          kernel,
          grid,
          group,
          offsets: [starts.shift()!] as const,
          pipeline: pipeline.gpu!,
          staged: stagedOf(bound),
        },
        launched: launched(kernel, variant.name, params),
      };
    });
    return new Program(launches, uniforms, textures);
  }

  /** Copy, run a program, copy, and submit, all with what has gathered before, in one go. */
  replay(program: Program, before: readonly Copy[] = [], after: readonly Copy[] = []): void {
    for (const copy of before) this.#copy(copy);
    program.write(this.#device.queue);
    let last: GPUComputePipeline | undefined;
    for (const prepared of program.launches) {
      if (!prepared) continue;
      const { pipeline, group, grid, offsets, staged, launched } = prepared;
      const isOpen = this.#pass && !this.#timer && staged.length === 0;
      const pass = isOpen ? this.#pass! : this.#openPass(() => launched, staged);
      // Each call into Dawn from Node costs one or two microseconds.
      if (pipeline !== last || !isOpen) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(0, group, offsets);
      pass.dispatchWorkgroups(...grid);
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
    this.#textures.trim();
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

  #openPass(launch: () => Launched, staged: readonly Staged[]): GPUComputePassEncoder {
    if (this.#timer || staged.length > 0) this.#closePass();
    let times = this.#timer?.next(launch());
    if (times && staged.length > 0) {
      // The time of a launch has that of its copies in it.
      const { querySet, beginningOfPassWriteIndex, endOfPassWriteIndex } = times;
      const begin = { querySet, beginningOfPassWriteIndex: beginningOfPassWriteIndex! };
      this.#open().beginComputePass({ timestampWrites: begin }).end();
      times = { querySet, endOfPassWriteIndex: endOfPassWriteIndex! };
    }
    for (const part of staged) part.copy(this.#open());
    this.#pass ??= this.#open().beginComputePass(times ? { timestampWrites: times } : {});
    return this.#pass;
  }

  #closePass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  #writeParams<P extends ParamValues>(kernel: Kernel<P>, params: P): number {
    const { size } = layout(kernel.params);
    if (this.#used + size > ARENA_BYTES) this.flush();
    const offset = this.#used;
    writeParams(kernel, params, this.#params, offset);
    this.#used = Math.ceil((offset + size) / this.#align) * this.#align;
    return offset;
  }

  /** How a launch is done here, and with which pipeline; undefined if there is nothing to do. */
  #resolve<P extends ParamValues>(
    kernel: Kernel<P>,
    params: P,
    buffers: number,
    holes: Holes = {},
    variant: string | undefined,
  ): (Resolved<P> & { pipeline: Pipeline }) | undefined {
    const limit = this.#device.limits.maxComputeWorkgroupsPerDimension;
    const resolved = resolve(kernel, params, buffers, holes, variant, this.#adapter, limit);
    return resolved && { ...resolved, pipeline: this.#pipelines.find(kernel, resolved) };
  }
}

function launched<P extends ParamValues>(kernel: Kernel<P>, variant: string, params: P): Launched {
  return { kernel: kernel.name, variant, params, cost: kernel.cost?.(params) };
}

// WebGPU's flag objects are globals of a page but not of Node; their values are fixed by the standard.
const GPU_COPY_DST = 0x08;
const GPU_UNIFORM = 0x40;
