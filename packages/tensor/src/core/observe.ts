import type { Tensor } from "./tensor.ts";

/** Told of everything that is computed, while it is computed: for finding out what went wrong. */
export interface Observer {
  /** A kernel was launched; `replaced` says whether all it wrote was there before. */
  ran(kernel: string, reads: readonly Tensor[], writes: readonly Tensor[], replaced: boolean): void;
  /** The launches since the op before were op `name`, and `y` is its result. */
  computed(name: string, y: Tensor): void;
  /** `backward` goes back through an op from here on; undefined: through none any more. */
  wentBack(name: string | undefined): void;
}

let current: Observer | undefined;

export const observer = (): Observer | undefined => current;

/** Tell this observer in place of the one that was told so far, which is given back. */
export function observe(next: Observer | undefined): Observer | undefined {
  const before = current;
  current = next;
  return before;
}
