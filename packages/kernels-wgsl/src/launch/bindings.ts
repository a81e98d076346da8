import { isHalf, Staged, type Textures } from "../rasteriser/textures.ts";
import type { Kernel, ParamValues } from "./kernel.ts";
import type { Pipeline } from "./pipelines.ts";
import type { Placed } from "./program.ts";
import type { Resolved } from "./resolve.ts";

/** What a launch is bound to: part of a buffer, or a texture that it is copied to before. */
export type Bound = Placed | Staged;

/** See to it that the textures of a launch will be large enough. */
export function reserve<P extends ParamValues>(
  into: Textures,
  { reads }: Kernel<P>,
  { textures, holes }: Resolved<P>,
): void {
  for (const [name, elements] of Object.entries(textures)) {
    into.reserve(reads.indexOf(name), isHalf(name, holes), elements);
  }
}

/** What each of a launch's buffers is bound as. */
export function bind<P extends ParamValues>(
  from: Textures,
  { reads }: Kernel<P>,
  { textures, holes }: Resolved<P>,
  buffers: readonly Placed[],
): Bound[] {
  return buffers.map((buffer, binding) => {
    const name = reads[binding] ?? "";
    const elements = textures[name];
    if (elements === undefined) return buffer;
    const texture = from.find(binding, isHalf(name, holes), elements);
    return new Staged(buffer, texture, Math.ceil(elements / 4));
  });
}

/** Bind groups for launches, each made once. */
export class BindGroups {
  readonly #device: GPUDevice;
  readonly #counts: { bindGroups: number };
  readonly #ids = new WeakMap<object, number>();
  #nextId = 0;

  constructor(device: GPUDevice, counts: { bindGroups: number }) {
    this.#device = device;
    this.#counts = counts;
  }

  /** The bind group of these, looked up in `groups` and remembered there. */
  find(
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
        resource: bound instanceof Staged ? bound.texture.createView() : plain(bound),
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

/** Without what else the object has. */
const plain = ({ buffer, offset, size }: Placed): GPUBufferBinding => ({
  buffer,
  ...(offset !== undefined && { offset }),
  ...(size !== undefined && { size }),
});

export const stagedOf = (bound: readonly Bound[]): Staged[] => bound.filter((one) => one instanceof Staged);
