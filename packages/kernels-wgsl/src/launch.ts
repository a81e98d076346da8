import {
  type Adapter,
  choose,
  type Holes,
  type Kernel,
  KernelError,
  layout,
  type ParamValues,
  type Variant,
  type Workgroups,
  writeParams,
} from "./kernel.ts";
import { type Pipeline, Pipelines } from "./pipelines.ts";
import { type Copy, type Planned, type Prepared, Program } from "./program.ts";
import { isHalf, type Staged, stage, Textures, texelHoles } from "./textures.ts";
import { type Launched, Timer, type Timing } from "./timing.ts";

/** GPU objects made so far; a loop in steady state makes none. */
export interface LaunchCounts {
  launches: number;
  submits: number;
  pipelines: number;
  bindGroups: number;
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
  readonly counts: LaunchCounts = { launches: 0, submits: 0, pipelines: 0, bindGroups: 0 };
  /** Called after each batch with what every launch took, where the device has timestamps. */
  onTimings: ((timings: Timing[]) => void) | undefined;
  /** Called for each launch. */
  onLaunch: ((launched: Launched) => void) | undefined;
  readonly #device: GPUDevice;
  readonly #adapter: Adapter;
  readonly #batch: number;
  readonly #align: number;
  readonly #arena: GPUBuffer;
  readonly #params = new DataView(new ArrayBuffer(ARENA_BYTES));
  readonly #pipelines: Pipelines;
  readonly #textures: Textures;
  readonly #ids = new WeakMap<object, number>();
  #timer: Timer | undefined;
  #nextId = 0;
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
    this.#pipelines = new Pipelines(device, this.counts, fail);
    this.#textures = new Textures(device);
    this.#batch = batch;
    this.#align = Math.max(16, device.limits.minUniformBufferOffsetAlignment);
    this.#arena = device.createBuffer({
      label: "Params",
      size: ARENA_BYTES,
      usage: GPU_UNIFORM | GPU_COPY_DST,
    });
  }

  /**
   * Run a kernel on `buffers` (its reads, then its writes) once everything launched before is done.
   *
   * @throws KernelError if the buffers are not as many as the bindings, or the grid is too large.
   */
  launch<P extends ParamValues>(
    kernel: Kernel<P>,
    params: P,
    buffers: readonly GPUBuffer[],
    { holes = {}, variant: name }: LaunchOptions = {},
  ): void {
    const resolved = this.#resolve(kernel, params, buffers.length, holes, name);
    if (!resolved) return;
    const { variant, grid, pipeline } = resolved;
    pipeline.gpu ??= this.#pipelines.compile(kernel, variant, resolved.holes, pipeline);
    const offset = this.#writeParams(kernel, params);
    const bound = this.#bind(
      kernel,
      resolved,
      buffers.map((buffer) => ({ buffer })),
    );
    const pass = this.#openPass(() => launched(kernel, variant.name, params), stagedOf(bound));
    pass.setPipeline(pipeline.gpu);
    const arena = { buffer: this.#arena, size: layout(kernel.params).size };
    pass.setBindGroup(0, this.#bindGroup(kernel.name, pipeline, [...bound, arena]), [offset]);
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
    const steps = planned.map(({ kernel, params, buffers, holes = {}, variant: name }) => {
      const resolved = this.#resolve(kernel, params, buffers.length, holes, name);
      if (!resolved) return undefined;
      return { ...resolved, kernel, params, buffers };
    });
    const some = steps.filter((step) => step !== undefined);
    // All of a program's launches share textures as large as the largest needs.
    for (const step of some) this.#bind(step.kernel, step, step.buffers);
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
    const offsets = some.map(({ kernel }) => {
      const offset = end;
      end = Math.ceil((offset + layout(kernel.params).size) / this.#align) * this.#align;
      return offset;
    });
    const uniforms = this.#device.createBuffer({
      label: "Params of a program",
      size: Math.max(16, end),
      usage: GPU_UNIFORM | GPU_COPY_DST,
    });
    const groups = new Map<string, GPUBindGroup>();
    const launches = steps.map((step): Prepared | undefined => {
      if (!step) return undefined;
      const { kernel, variant, params, grid, buffers, pipeline } = step;
      const bound = this.#bind(kernel, step, buffers);
      const resources = [...bound, { buffer: uniforms, size: layout(kernel.params).size }];
      const group = this.#groupIn(groups, kernel.name, pipeline, resources);
      const offset = offsets.shift()!;
      return {
        ...{ kernel, grid, group, offset, pipeline: pipeline.gpu!, staged: stagedOf(bound) },
        launched: launched(kernel, variant.name, params),
      };
    });
    return new Program(launches, uniforms);
  }

  /** Copy, run a program, copy, and submit, all with what has gathered before, in one go. */
  replay(program: Program, before: readonly Copy[] = [], after: readonly Copy[] = []): void {
    for (const copy of before) this.#copy(copy);
    program.write(this.#device.queue);
    const offsets = new Uint32Array(1);
    let last: GPUComputePipeline | undefined;
    for (const prepared of program.launches) {
      if (!prepared) continue;
      const { pipeline, group, grid, offset, staged, launched } = prepared;
      const isOpen = this.#pass && !this.#timer && staged.length === 0;
      const pass = isOpen ? this.#pass! : this.#openPass(() => launched, staged);
      // Each call into Dawn from Node costs one or two microseconds.
      if (pipeline !== last || !isOpen) pass.setPipeline(pipeline);
      last = pipeline;
      offsets[0] = offset;
      pass.setBindGroup(0, group, offsets, 0, 1);
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
    for (const part of staged) stage(this.#open(), part);
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

  /** How a launch is done here; undefined if there is nothing to do. */
  #resolve<P extends ParamValues>(
    kernel: Kernel<P>,
    params: P,
    buffers: number,
    given: Holes,
    name: string | undefined,
  ): Resolved<P> | undefined {
    const bindings = kernel.reads.length + kernel.writes.length;
    if (buffers !== bindings) {
      throw new KernelError(`${kernel.name}: ${buffers} buffers for ${bindings} bindings`);
    }
    const variant = name === undefined ? choose(kernel, params, this.#adapter, given) : named(kernel, name);
    const own = { ...variant.holes, ...given };
    const textures = variant.textures?.(params, own) ?? {};
    const holes = { ...own, ...texelHoles(Object.keys(textures), own) };
    const grid = variant.workgroups(params, holes);
    if (grid[0] === 0 || grid[1] === 0 || grid[2] === 0) return undefined;
    const limit = this.#device.limits.maxComputeWorkgroupsPerDimension;
    if (grid.some((side) => side > limit)) {
      throw new KernelError(
        `${kernel.name} ${variant.name}: ${grid.join("×")} workgroups; at most ${limit} along an axis`,
      );
    }
    const pipeline = this.#pipelines.find(kernel, variant, holes, Object.keys(textures));
    return { variant, holes, grid, textures, pipeline };
  }

  /** What each buffer is bound as: itself, or a texture that it is copied to before. */
  #bind<P extends ParamValues>(
    { reads }: Kernel<P>,
    { textures, holes }: Resolved<P>,
    buffers: readonly GPUBufferBinding[],
  ): Bound[] {
    return buffers.map((from, binding) => {
      const name = reads[binding] ?? "";
      const elements = textures[name];
      if (elements === undefined) return from;
      const texture = this.#textures.find(binding, isHalf(name, holes), elements);
      return { from, texture, texels: Math.ceil(elements / 4) };
    });
  }

  #bindGroup(label: string, pipeline: Pipeline, resources: readonly Bound[]): GPUBindGroup {
    // Bounds what buffers that were destroyed meanwhile leave behind.
    if (pipeline.groups.size >= MAX_BIND_GROUPS) pipeline.groups.clear();
    return this.#groupIn(pipeline.groups, label, pipeline, resources);
  }

  #groupIn(
    groups: Map<string, GPUBindGroup>,
    label: string,
    { layout }: Pipeline,
    resources: readonly Bound[],
  ): GPUBindGroup {
    const parts = resources.map((bound) =>
      "texture" in bound
        ? this.#id(bound.texture)
        : `${this.#id(bound.buffer)}:${bound.offset ?? 0}:${bound.size ?? 0}`,
    );
    const key = [this.#id(layout), ...parts].join();
    let group = groups.get(key);
    if (group) return group;
    group = this.#device.createBindGroup({
      label,
      layout,
      entries: resources.map((bound, binding) => ({
        binding,
        resource: "texture" in bound ? bound.texture.createView() : bound,
      })),
    });
    groups.set(key, group);
    this.counts.bindGroups++;
    return group;
  }

  #id(made: object): number {
    let id = this.#ids.get(made);
    if (id === undefined) this.#ids.set(made, (id = this.#nextId++));
    return id;
  }
}

/** How a launch is done on an adapter. */
interface Resolved<P extends ParamValues> {
  readonly variant: Variant<P>;
  readonly holes: Holes;
  readonly grid: Workgroups;
  /** Elements that are read as textures, by the name of the binding. */
  readonly textures: Readonly<Record<string, number>>;
  readonly pipeline: Pipeline;
}

type Bound = GPUBufferBinding | Staged;

const stagedOf = (bound: readonly Bound[]): Staged[] => bound.filter((one) => "texture" in one);

function launched<P extends ParamValues>(kernel: Kernel<P>, variant: string, params: P): Launched {
  return { kernel: kernel.name, variant, params, cost: kernel.cost?.(params) };
}

function named<P extends ParamValues>(kernel: Kernel<P>, name: string): Variant<P> {
  const found = kernel.variants.find((variant) => variant.name === name);
  if (!found)
    throw new KernelError(
      `${kernel.name} has no variant ${name}; it has ${kernel.variants.map((v) => v.name).join(", ")}`,
    );
  return found;
}

// WebGPU's flag objects are globals of a page but not of Node; their values are fixed by the standard.
const GPU_COPY_DST = 0x08;
const GPU_UNIFORM = 0x40;
