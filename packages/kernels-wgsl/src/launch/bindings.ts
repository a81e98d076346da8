import type { Copied } from "./copies.ts";
import type { Pipeline } from "./pipelines.ts";
import { bindingOf, type Placed } from "./placed.ts";
import type { Operand, Resolved } from "./resolve.ts";
import type { Scratch } from "./scratch.ts";

/** A resource of a launch: part of a buffer, or the copy that stands in its place. */
export type Bound = Placed | Copied;

/** Say how much scratch memory a launch needs. */
export function reserve(into: Scratch, { kernel, operands, copied }: Resolved): void {
  for (const operand of operands) if ("slot" in operand) into.reserve(operand);
  for (const [name, read] of Object.entries(copied)) into.copies!.reserve(kernel.reads.indexOf(name), read);
}

/** What each of a launch's operands is bound as. */
export function bind(from: Scratch, { kernel, operands, copied }: Resolved): Bound[] {
  return operands.map((operand, binding) => {
    const part = partOf(from, operand);
    const read = copied[kernel.reads[binding] ?? ""];
    return read ? from.copies!.find(binding, read, part) : part;
  });
}

function partOf(from: Scratch, operand: Operand): Placed {
  if ("isAbsent" in operand) return { buffer: from.absent };
  return "slot" in operand ? { buffer: from.find(operand) } : operand;
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
      "copy" in bound
        ? this.#id(bound.memory)
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
        resource: "copy" in bound ? bound.resource() : bindingOf(bound),
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

export const copiesOf = (bound: readonly Bound[]): Copied[] => bound.filter((one) => "copy" in one);
