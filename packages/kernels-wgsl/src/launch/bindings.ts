import type { Copied } from "./copies.ts";
import type { GroupTable, Pipeline } from "./pipelines.ts";
import { bindingOf, type Placed } from "./placed.ts";
import type { Operand, Resolved } from "./resolve.ts";
import type { Scratch } from "./scratch.ts";

/** A resource of a launch: part of a buffer, or the copy that stands in its place. */
export type Bound = Placed | Copied;

/** Reserve the scratch memory that a launch needs. */
export function reserve(into: Scratch, { kernel, operands, copied }: Resolved): void {
  for (const operand of operands) if ("slot" in operand) into.reserve(operand);
  for (const [name, read] of Object.entries(copied)) into.copies!.reserve(kernel.reads.indexOf(name), read);
}

/** Bindings of a launch on these buffers, its parameters last. */
export function bind(
  from: Scratch,
  { kernel, operands, copied }: Resolved,
  buffers: readonly Placed[],
  params: Placed,
): Bound[] {
  const parts = operands.map((operand) => partOf(from, operand, buffers));
  parts.push(params);
  const bound: Bound[] = parts;
  for (const name in copied) {
    const binding = kernel.reads.indexOf(name);
    bound[binding] = from.copies!.find(binding, copied[name]!, parts[binding]!);
  }
  return bound;
}

function partOf(from: Scratch, operand: Operand, buffers: readonly Placed[]): Placed {
  if ("isAbsent" in operand) return { buffer: from.absent };
  return "slot" in operand ? { buffer: from.find(operand) } : buffers[operand.argument]!;
}

/** Limit of bind groups per turn of the event loop: no training step makes as many. */
const MOST_IN_A_TURN = 8192;

/** Size of a binding that is all that the buffer has. */
const WHOLE = -1;
/** Bind groups for launches, each made once. */
export class BindGroups {
  readonly #device: GPUDevice;
  readonly #counts: { bindGroups: number };
  readonly #ids = new WeakMap<object, number>();
  readonly #turned: () => void;
  /** Key of the group that is looked up. */
  readonly #key: number[] = [];
  #nextId = 0;
  #inThisTurn = 0;

  /** @param turned called in the turn of the event loop after one that made too many */
  constructor(device: GPUDevice, counts: { bindGroups: number }, turned: () => void) {
    this.#device = device;
    this.#counts = counts;
    this.#turned = turned;
  }

  /** True if so many were made in this turn of the event loop that there should be no more. */
  get tooMany(): boolean {
    return this.#inThisTurn >= MOST_IN_A_TURN;
  }

  /** The bind group of these, looked up in `groups` and remembered there. */
  find(groups: GroupTable, label: string, { layout }: Pipeline, resources: readonly Bound[]): GPUBindGroup {
    const key = this.#keyOf(layout, resources);
    let group = groups.find(key);
    if (!group) groups.add(key, (group = this.#make(label, layout, resources)));
    return group;
  }

  #make(label: string, layout: GPUBindGroupLayout, resources: readonly Bound[]): GPUBindGroup {
    const group = this.#device.createBindGroup({
      label,
      layout,
      entries: resources.map((bound, binding) => ({
        binding,
        resource: "copy" in bound ? bound.resource() : bindingOf(bound),
      })),
    });
    this.#counts.bindGroups++;
    if (this.#inThisTurn++ === 0) setTimeout(() => this.#turn());
    return group;
  }

  #turn(): void {
    if (this.tooMany) this.#turned();
    this.#inThisTurn = 0;
  }

  #keyOf(layout: GPUBindGroupLayout, resources: readonly Bound[]): readonly number[] {
    const key = this.#key;
    key.length = 0;
    key.push(this.#id(layout));
    for (const bound of resources) {
      if ("copy" in bound) key.push(this.#id(bound.memory), 0, WHOLE);
      else key.push(this.#id(bound.buffer), bound.offset ?? 0, bound.size ?? WHOLE);
    }
    return key;
  }

  #id(made: object): number {
    let id = this.#ids.get(made);
    if (id === undefined) this.#ids.set(made, (id = this.#nextId++));
    return id;
  }
}

export const copiesOf = (bound: readonly Bound[]): Copied[] => bound.filter((one) => "copy" in one);
