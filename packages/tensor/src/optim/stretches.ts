import { areAdjacent } from "../core/adjacent.ts";
import type { Tensor } from "../core/tensor.ts";

/** A tensor that an optimizer moves, with the optimizer's state for it. */
export interface Slot {
  /** Name in the model, or an index where none is known. */
  readonly name: string;
  readonly w: Tensor;
  readonly state: Record<string, Tensor>;
  /** Number of steps so far. */
  steps: number;
}

/** Parameters that can be moved as one: they, and what is remembered of them, lie one after the other. */
export function stretchesOf(slots: readonly Slot[]): Slot[][] {
  const stretches: Slot[][] = [];
  let before: Slot | undefined;
  for (const slot of slots) {
    if (before && isNext(before, slot)) stretches.at(-1)!.push(slot);
    else stretches.push([slot]);
    before = slot;
  }
  return stretches;
}

function isNext(a: Slot, b: Slot): boolean {
  if (a.w.isDisposed || b.w.isDisposed || a.steps !== b.steps || !areAdjacent(a.w, b.w)) return false;
  for (const part in b.state) if (!areAdjacent(a.state[part]!, b.state[part]!)) return false;
  return true;
}

/** Count steps of each, or take them back. */
export function advance(slots: readonly Slot[], by: number): void {
  for (const slot of slots) slot.steps += by;
}
