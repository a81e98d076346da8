import {
  type Adapter,
  choose,
  type Holes,
  type Interface,
  type Kernel,
  KernelError,
  layout,
  type ParamValues,
  specialize,
  type Variant,
  writeParams,
} from "./kernel.ts";
import { type Launched, Timer, type Timing } from "./timing.ts";

/** A shader with its holes filled, compiled. */
interface Pipeline {
  readonly gpu: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly groups: Map<string, GPUBindGroup>;
}

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
  readonly #fail: (error: Error) => void;
  readonly #batch: number;
  readonly #align: number;
  readonly #arena: GPUBuffer;
  readonly #params = new DataView(new ArrayBuffer(ARENA_BYTES));
  readonly #pipelines = new Map<object, Map<string, Pipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #ids = new WeakMap<GPUBuffer, number>();
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
    this.#fail = fail;
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
    const bindings = kernel.reads.length + kernel.writes.length;
    if (buffers.length !== bindings) {
      throw new KernelError(`${kernel.name}: ${buffers.length} buffers for ${bindings} bindings`);
    }
    const variant = name === undefined ? choose(kernel, params, this.#adapter) : named(kernel, name);
    const all = { ...variant.holes, ...holes };
    const grid = variant.workgroups(params, all);
    if (grid[0] === 0 || grid[1] === 0 || grid[2] === 0) return;
    const limit = this.#device.limits.maxComputeWorkgroupsPerDimension;
    if (grid.some((side) => side > limit)) {
      throw new KernelError(
        `${kernel.name} ${variant.name}: ${grid.join("×")} workgroups; at most ${limit} along an axis`,
      );
    }
    const pipeline = this.#pipeline(kernel, variant, all);
    const offset = this.#writeParams(kernel, params);
    const pass = this.#openPass(() => launched(kernel, variant.name, params));
    pass.setPipeline(pipeline.gpu);
    pass.setBindGroup(0, this.#bindGroup(kernel.name, pipeline, buffers, layout(kernel.params).size), [
      offset,
    ]);
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

  #openPass(launch: () => Launched): GPUComputePassEncoder {
    if (this.#timer) {
      this.#closePass();
      const timestampWrites = this.#timer.next(launch());
      this.#pass = this.#open().beginComputePass({ timestampWrites });
    }
    this.#pass ??= this.#open().beginComputePass();
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

  #pipeline<P extends ParamValues>(kernel: Kernel<P>, variant: Variant<P>, holes: Holes): Pipeline {
    let filled = this.#pipelines.get(variant);
    if (!filled) this.#pipelines.set(variant, (filled = new Map()));
    const key = JSON.stringify(holes);
    let pipeline = filled.get(key);
    if (!pipeline) filled.set(key, (pipeline = this.#compile(kernel, variant, holes)));
    return pipeline;
  }

  #compile<P extends ParamValues>(kernel: Kernel<P>, variant: Variant<P>, holes: Holes): Pipeline {
    const code = specialize(kernel.name, variant.source, holes);
    const label = `${kernel.name} ${variant.name}`;
    const layout = this.#bindGroupLayout(kernel);
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ label, code });
    const gpu = this.#device.createComputePipeline({
      label,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
    this.#device.popErrorScope().then(
      async (error) => {
        if (!error) return;
        const { messages } = await module.getCompilationInfo();
        const found = messages.map((m) => `${kernel.name}.wgsl:${m.lineNum}:${m.linePos} ${m.message}`);
        this.#fail(new KernelError([`${label} does not compile`, ...found, error.message].join("\n")));
      },
      () => {}, // the device was lost, which is reported by itself
    );
    this.counts.pipelines++;
    return { gpu, layout, groups: new Map() };
  }

  #bindGroupLayout(kernel: Interface): GPUBindGroupLayout {
    const key = `${kernel.reads.length},${kernel.writes.length}`;
    let made = this.#layouts.get(key);
    if (made) return made;
    const types: GPUBufferBindingLayout[] = [
      ...kernel.reads.map(() => ({ type: "read-only-storage" }) as const),
      ...kernel.writes.map(() => ({ type: "storage" }) as const),
      { type: "uniform", hasDynamicOffset: true },
    ];
    made = this.#device.createBindGroupLayout({
      entries: types.map((buffer, binding) => ({ binding, visibility: GPU_COMPUTE, buffer })),
    });
    this.#layouts.set(key, made);
    return made;
  }

  #bindGroup(label: string, pipeline: Pipeline, buffers: readonly GPUBuffer[], params: number): GPUBindGroup {
    const key = buffers.map((buffer) => this.#id(buffer)).join();
    let group = pipeline.groups.get(key);
    if (group) return group;
    // Bounds what buffers that were destroyed meanwhile leave behind.
    if (pipeline.groups.size >= MAX_BIND_GROUPS) pipeline.groups.clear();
    const resources = [...buffers.map((buffer) => ({ buffer })), { buffer: this.#arena, size: params }];
    group = this.#device.createBindGroup({
      label,
      layout: pipeline.layout,
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    pipeline.groups.set(key, group);
    this.counts.bindGroups++;
    return group;
  }

  #id(buffer: GPUBuffer): number {
    let id = this.#ids.get(buffer);
    if (id === undefined) this.#ids.set(buffer, (id = this.#nextId++));
    return id;
  }
}

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
const GPU_COMPUTE = 0x4;
