import type { Holes, Kernel, ParamValues } from "@shadegrad/kernels-wgsl";
import type { Storage } from "../storage.ts";

/** A tensor as a launch sees it. */
export interface Bound {
  readonly storage: Storage;
  /** Elements. */
  readonly size: number;
  readonly dtype: string;
}

/** A launch that was written down in place of being made. */
export interface Recorded {
  readonly kernel: Kernel;
  readonly params: ParamValues;
  /** The parameters of later calls, where they are others. */
  readonly live: (() => ParamValues) | undefined;
  readonly holes: Holes;
  readonly variant: string | undefined;
  readonly reads: readonly Bound[];
  /** In the kernel's order; `fresh` are those that the launch made. */
  readonly writes: readonly (Bound & { readonly fresh: boolean })[];
}

/** What a function did with the device: its launches, and what else is to happen at each call. */
export class Recorder {
  readonly launches: Recorded[] = [];
  /** Host code of each call, in order: counters that advance. */
  readonly effects: (() => void)[] = [];
  /** Host values by which the function chose what to do, and how to look at them again. */
  readonly choices: { readonly look: () => unknown; readonly found: unknown }[] = [];
}

let current: Recorder | undefined;

/** Who writes down launches now, in place of the device making them. */
export const recorder = (): Recorder | undefined => current;

/** Call `f` while `into` writes down what it would launch; without one, while launches are made. */
export function recording<T>(into: Recorder | undefined, f: () => T): T {
  const before = current;
  current = into;
  try {
    return f();
  } finally {
    current = before;
  }
}

/**
 * Do `f` now, and where a compiled function is recorded, at each of its later calls as well. The result
 * gives the value of the latest call: for parameters that are functions.
 */
export function eachCall<T>(f: () => T): () => T {
  let value = f();
  current?.effects.push(() => {
    value = f();
  });
  return () => value;
}

/** A value of the host that decides what is launched: where it has changed, a compiled function is recorded anew. */
export function choice<T>(look: () => T): T {
  const found = look();
  current?.choices.push({ look, found });
  return found;
}
