import type { Holes, Kernel, ParamValues } from "./kernel.ts";
import type { Pipeline } from "./pipelines.ts";
import { isHalf, Staged, Textures } from "./textures.ts";

/** What a launch is bound to: part of a buffer, or a texture that it is copied to before. */
export type Bound = GPUBufferBinding | Staged;

/** Textures and bind groups for launches, each made once. */
export class Bindings {
  readonly #device: GPUDevice;
  readonly #counts: { bindGroups: number };
  readonly #textures: Textures;
  readonly #ids = new WeakMap<object, number>();
  #nextId = 0;

  constructor(device: GPUDevice, counts: { bindGroups: number }) {
    this.#device = device;
    this.#counts = counts;
    this.#textures = new Textures(device);
  }

  /**
   * What each buffer is bound as. A texture is that of all launches so far, and larger ones replace it: of
   * launches that are to share theirs, bind all before any is used.
   *
   * @param textures elements that are read as textures, by the name of the binding
   */
  bind<P extends ParamValues>(
    { reads }: Kernel<P>,
    holes: Holes,
    textures: Readonly<Record<string, number>>,
    buffers: readonly GPUBufferBinding[],
  ): Bound[] {
    return buffers.map((from, binding) => {
      const name = reads[binding] ?? "";
      const elements = textures[name];
      if (elements === undefined) return from;
      const texture = this.#textures.find(binding, isHalf(name, holes), elements);
      return new Staged(from, texture, Math.ceil(elements / 4));
    });
  }

  /** The bind group of these, looked up in `groups` and remembered there. */
  group(
    groups: Map<string, GPUBindGroup>,
    label: string,
    { layout }: Pipeline,
    resources: readonly Bound[],
  ): GPUBindGroup {
    const parts = resources.map((bound) =>
      bound instanceof Staged
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
        resource: bound instanceof Staged ? bound.texture.createView() : bound,
      })),
    });
    groups.set(key, group);
    this.#counts.bindGroups++;
    return group;
  }

  #id(made: object): number {
    let id = this.#ids.get(made);
    if (id === undefined) this.#ids.set(made, (id = this.#nextId++));
    return id;
  }
}

export const stagedOf = (bound: readonly Bound[]): Staged[] => bound.filter((one) => one instanceof Staged);
