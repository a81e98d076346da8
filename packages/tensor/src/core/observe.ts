import type { Tensor } from "./tensor.ts";

/** Observer of every launch and op, for finding faults. */
export interface Observer {
  /** A kernel was launched; `replaced` is true if it wrote pre-existing tensors only. */
  ran(kernel: string, reads: readonly Tensor[], writes: readonly Tensor[], replaced: boolean): void;
  /** The launches since the op before were op `name`, and `y` is its result. */
  computed(name: string, y: Tensor): void;
  /** `backward` goes back through an op from here on; undefined: through none any more. */
  wentBack(name: string | undefined): void;
}

let current: Observer | undefined;

export const observer = (): Observer | undefined => current;

/** Replace the observer. → the one before */
export function observe(next: Observer | undefined): Observer | undefined {
  const before = current;
  current = next;
  return before;
}
