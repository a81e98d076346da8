import { IntegerTable } from "./integers.ts";
import { type Interface, KernelError, specialize } from "./kernel.ts";
import type { Resolved } from "./resolve.ts";

/** Bind groups by layout and resources. */
export type GroupTable = IntegerTable<GPUBindGroup>;

/** A shader with its holes filled, compiled, or to be compiled with others. */
export interface Pipeline {
  gpu: GPUComputePipeline | undefined;
  readonly layout: GPUBindGroupLayout;
  readonly groups: GroupTable;
}

/** Shaders with their holes filled, each compiled once. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #compiles: (label: string, code: string) => void;
  readonly #fail: (error: Error) => void;
  readonly #filled = new Map<object, Map<string, Pipeline>>();
  /** The same text, however its holes were given, is compiled once. */
  readonly #compiled = new Map<string, GPUComputePipeline>();
  readonly #compiling = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  /**
   * @param compiles called with each shader that is compiled
   * @param fail called with the error of a shader that does not compile, where WebGPU reports it later
   */
  constructor(
    device: GPUDevice,
    compiles: (label: string, code: string) => void,
    fail: (error: Error) => void,
  ) {
    this.#device = device;
    this.#compiles = compiles;
    this.#fail = fail;
  }

  /** The shader with its holes filled, compiled already or not. */
  find({ kernel, variant, holes, copied }: Resolved): Pipeline {
    let filled = this.#filled.get(variant);
    if (!filled) this.#filled.set(variant, (filled = new Map()));
    const key = JSON.stringify(holes);
    let pipeline = filled.get(key);
    if (!pipeline) {
      const layout = this.#layout(kernel, copied);
      pipeline = { gpu: undefined, layout, groups: new IntegerTable() };
      filled.set(key, pipeline);
    }
    return pipeline;
  }

  /** A pipeline to use at once, which waits for its compilation; its error is reported later. */
  compile(resolved: Resolved, { layout }: Pipeline): GPUComputePipeline {
    const { kernel, variant, holes } = resolved;
    const code = specialize(kernel.name, variant.source, holes);
    const known = this.#compiled.get(code);
    if (known) return known;
    this.#device.pushErrorScope("validation");
    const descriptor = this.#describe(resolved, code, layout);
    const gpu = this.#device.createComputePipeline(descriptor);
    this.#compiled.set(code, gpu);
    this.#device.popErrorScope().then(
      async (error) => {
        if (error) this.#fail(await explained(kernel, descriptor, error));
      },
      () => {}, // the device was lost, which is reported by itself
    );
    return gpu;
  }

  /** A pipeline that is compiled while others are. */
  async compileAside(resolved: Resolved, { layout }: Pipeline): Promise<GPUComputePipeline> {
    const { kernel, variant, holes } = resolved;
    const code = specialize(kernel.name, variant.source, holes);
    const known = this.#compiled.get(code) ?? this.#compiling.get(code);
    if (known) return known;
    this.#device.pushErrorScope("validation");
    const descriptor = this.#describe(resolved, code, layout);
    this.#device.popErrorScope().catch(() => {}); // of the module: the pipeline's own error says so again
    const compiling = this.#device.createComputePipelineAsync(descriptor);
    this.#compiling.set(code, compiling);
    try {
      const gpu = await compiling;
      this.#compiled.set(code, gpu);
      return gpu;
    } catch (error) {
      throw await explained(kernel, descriptor, error as Error);
    } finally {
      this.#compiling.delete(code);
    }
  }

  #describe(
    { kernel, variant }: Resolved,
    code: string,
    layout: GPUBindGroupLayout,
  ): GPUComputePipelineDescriptor & { label: string } {
    const label = `${kernel.name} ${variant.name}`;
    this.#compiles(label, code);
    return {
      label,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: this.#device.createShaderModule({ label, code }), entryPoint: "main" },
    };
  }

  #layout({ reads, writes }: Interface, copied: Resolved["copied"]): GPUBindGroupLayout {
    const types: (Omit<GPUBindGroupLayoutEntry, "binding" | "visibility"> & { key: string })[] = [
      ...reads.map((name) => {
        const read = copied[name];
        return read
          ? { key: read.key, ...read.layout }
          : { key: "read", buffer: { type: "read-only-storage" } as const };
      }),
      ...writes.map(() => ({ key: "write", buffer: { type: "storage" } as const })),
      { key: "Params", buffer: { type: "uniform", hasDynamicOffset: true } },
    ];
    const key = types.map(({ key }) => key).join();
    let made = this.#layouts.get(key);
    if (made) return made;
    made = this.#device.createBindGroupLayout({
      entries: types.map(({ key: _, ...type }, binding) => ({ binding, visibility: GPU_COMPUTE, ...type })),
    });
    this.#layouts.set(key, made);
    return made;
  }
}

/** Error of a shader that does not compile, by the lines of its file. */
async function explained(
  { name }: Interface,
  { label, compute }: GPUComputePipelineDescriptor & { label: string },
  { message }: { readonly message: string },
): Promise<KernelError> {
  const { messages } = await compute.module.getCompilationInfo();
  const found = messages.map((m) => `${name}.wgsl:${m.lineNum}:${m.linePos} ${m.message}`);
  return new KernelError([`${label} does not compile`, ...found, message].join("\n"));
}

// WebGPU's flag objects are globals of a page but not of Node; their values are fixed by the standard.
const GPU_COMPUTE = 0x4;
