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

/** Bindings of a launch's operands. */
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

/** Bind groups that code without an `await` may make: no step of a training makes as many. */
const MOST_IN_A_TURN = 8192;

/** Bind groups for launches, each made once. */
export class BindGroups {
  readonly #device: GPUDevice;
  readonly #counts: { bindGroups: number };
  readonly #ids = new WeakMap<object, number>();
  readonly #turned: () => void;
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
    if (this.#inThisTurn++ === 0) setTimeout(() => this.#turn());
    return group;
  }

  #turn(): void {
    if (this.tooMany) this.#turned();
    this.#inThisTurn = 0;
  }

  #id(made: object): number {
    let id = this.#ids.get(made);
    if (id === undefined) this.#ids.set(made, (id = this.#nextId++));
    return id;
  }
}

export const copiesOf = (bound: readonly Bound[]): Copied[] => bound.filter((one) => "copy" in one);
