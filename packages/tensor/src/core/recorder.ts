import type { Epilogue, Holes, Kernel, ParamValues } from "@shadegrad/kernels-wgsl";
import { Storage } from "./storage.ts";

/** A tensor as a launch sees it. */
export interface TensorBinding {
  readonly storage: Storage;
  /** Elements. */
  readonly size: number;
  readonly dtype: string;
  /** The part of a planned storage that is bound, in bytes; absent: all of it. */
  readonly at?: { readonly offset: number; readonly bytes: number };
}

/** A launch that was written down in place of being made. */
export interface Recorded {
  readonly kernel: Kernel;
  readonly params: ParamValues;
  /** The parameters of later calls, where they are others. */
  readonly paramsAtCall: (() => ParamValues) | undefined;
  readonly holes: Holes;
  readonly epilogue: Epilogue | undefined;
  readonly variant: string | undefined;
  /** In the kernel's order, those of the epilogue last. */
  readonly reads: readonly TensorBinding[];
  /** In the kernel's order; `allocated` are those that the launch made. */
  readonly writes: readonly (TensorBinding & { readonly allocated: boolean })[];
}

/** Place of a storage inside another one. */
export interface Alias {
  readonly whole: Storage;
  /** Offset in bytes. */
  readonly offset: number;
}

/** Launches that write tensors to their places in others, and those places. */
export interface Adjacent<L extends Recorded> {
  readonly launches: readonly (L | Recorded)[];
  readonly aliases: ReadonlyMap<Storage, Alias>;
}

/** Place of memory that launches use; `isOwn` if the function took it for numbers of the host. */
interface Held {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly isOwn: boolean;
}

/** Record of a function: its launches, and the host code of each call. */
export class Recorder {
  readonly launches: Recorded[] = [];
  /** Host code of each call, in order: counters that advance. */
  readonly effects: (() => void)[] = [];
  /** A pass of `compile` that an op of the function brings along, so that only who uses the op downloads it. */
  pass: ((launches: readonly Recorded[]) => readonly Recorded[]) | undefined;
  /** The pass for tensors that are packed, which an optimizer brings along; it gets the storages whose place is not free. */
  writeAdjacent:
    | (<L extends Recorded>(launches: readonly L[], fixed: ReadonlySet<Storage>) => Adjacent<L>)
    | undefined;
  /** True if the host is as after the call that was recorded, which has not run yet. */
  isAhead = true;
  /** Undo of each change to the host, the latest first. */
  readonly #undos: (() => void)[] = [];
  /** Host values by which the function chose what to do, and how to look at them again. */
  readonly #choices: { readonly look: () => unknown; readonly found: unknown }[] = [];
  readonly #held = new Map<Storage, Held>();
  readonly #own = new Set<Storage>();
  #moves = Storage.moves;

  readonly #epoch = epoch;

  /** True if the host still decides as it did, and what launches use is where it was. */
  get isCurrent(): boolean {
    if (this.#epoch !== epoch || !this.isInPlace) return false;
    return this.#choices.every(({ look, found }) => look() === found);
  }

  /** True if all memory that launches use is where it was when they were written down. */
  get isInPlace(): boolean {
    if (Storage.moves === this.#moves) return true;
    for (const [storage, { buffer, offset }] of this.#held) {
      if (storage.buffer !== buffer || storage.offset !== offset) return false;
    }
    this.#moves = Storage.moves;
    return true;
  }

  /** Memory that launches use and `compile` does not plan. */
  get held(): Storage[] {
    return [...this.#held.keys()];
  }

  /** Pre-existing storage that the function freed. */
  get disposed(): Storage[] {
    return [...this.#held].flatMap(([storage, { isOwn }]) => (isOwn || storage.isShared ? [] : [storage]));
  }

  /** Memory for numbers of the host that the function itself uploads. */
  get own(): Storage[] {
    return [...this.#held].flatMap(([storage, { isOwn }]) => (isOwn ? [storage] : []));
  }

  choose(look: () => unknown, found: unknown): void {
    this.#choices.push({ look, found });
  }

  /** Register the undo of a change to the host. */
  onUndo(undo: () => void): void {
    this.#undos.unshift(undo);
  }

  /** Note memory that was taken for numbers of the host. */
  takes(storage: Storage): void {
    this.#own.add(storage);
  }

  /** Keep memory that a launch uses from being used for something else, until `release`. */
  hold(storage: Storage): void {
    for (const part of storage.parts) this.hold(part);
    if (storage.isPlanned || storage.parts.length > 0 || this.#held.has(storage)) return;
    const { buffer, offset } = storage;
    this.#held.set(storage.share(), { buffer, offset, isOwn: this.#own.has(storage) });
  }

  release(): void {
    for (const storage of this.#held.keys()) storage.release();
    this.#held.clear();
  }

  /** Restore the host to its state before the call that was recorded, unless that has run. */
  undo(): void {
    if (!this.isAhead) return;
    this.isAhead = false;
    for (const undo of this.#undos.splice(0)) undo();
  }
}

let current: Recorder | undefined;
let epoch = 0;

/** Make every compiled function record again at its next call, since a decision of the host may have changed unnoticed. */
export function outdateRecordings(): void {
  epoch++;
}

/** The active recorder; undefined while launches go to the device. */
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
 *
 * @param undo takes it back, where a recording fails
 */
export function eachCall<T>(f: () => T, undo: () => void): () => T {
  let value = f();
  current?.onUndo(undo);
  current?.effects.push(() => {
    value = f();
  });
  return () => value;
}

/** A value of the host that decides what is launched: where it has changed, a compiled function is recorded again. */
export function choice<T>(look: () => T): T {
  const found = look();
  current?.choose(look, found);
  return found;
}
