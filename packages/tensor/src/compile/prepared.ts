import { recorder } from "../core/recorder.ts";
import { empty, Tensor } from "../core/tensor.ts";
import { kindOf } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { precisionOn } from "../gpu/precision.ts";
import { Plan, type PlanSummary } from "./plan.ts";
import { record, twoDevices, unowned } from "./record.ts";

/** Called with the number of compiled pipelines and the total. */
export type Progress = (done: number, of: number) => void;

/** A plan, and the structure of its results. */
export interface Made<R> {
  readonly plan: Plan;
  run(args: readonly Tensor[]): R;
}

/** A plan, made or in the making. */
interface Entry<R> {
  readonly making: Promise<Made<R>>;
  made: Made<R> | undefined;
  /** True if the host still decides as it did when the function was recorded. */
  isCurrent(): boolean;
  /** True if memory was moved before the first call, so that it takes another plan. */
  hasMoved(): boolean;
  /** Count of changes that were made at once to tensors that the function reads or changes beside its arguments. */
  changes(): number;
}

/** The plans of one function: one per device, precision, and combination of argument shapes and types. */
export class Prepared<A extends readonly Tensor[], R> {
  /** Summary of the plan for the latest call. */
  summary: PlanSummary | undefined;
  readonly #f: (...args: A) => R;
  readonly #progress: Progress | undefined;
  readonly #entries = new Map<string, Entry<R>>();

  constructor(f: (...args: A) => R, progress: Progress | undefined) {
    this.#f = f;
    this.#progress = progress;
  }

  /** Use the plan for these arguments: at once if it exists. */
  use<T>(args: A, run: (made: Made<R>, args: readonly Tensor[]) => T): T | Promise<T> {
    const entry = this.#entryFor(args);
    return entry.made ? this.#run(entry.made, args, run) : this.#runLater(entry, args, run);
  }

  dispose(): void {
    for (const entry of this.#entries.values()) discard(entry);
    this.#entries.clear();
    this.summary = undefined;
  }

  #run<T>(made: Made<R>, args: readonly Tensor[], run: (made: Made<R>, args: readonly Tensor[]) => T): T {
    this.summary = made.plan.summary;
    return run(made, args);
  }

  async #runLater<T>(
    { making, hasMoved, changes }: Entry<R>,
    args: A,
    run: (made: Made<R>, args: readonly Tensor[]) => T,
  ): Promise<T> {
    // Until it is their turn, the caller may change the arguments or dispose them.
    const copies = args.map(copyOf) as unknown as A;
    const before = changes();
    try {
      const made = await making;
      if (changes() !== before) throw new Error(CHANGED);
      return await (hasMoved() ? this.use(copies, run) : this.#run(made, copies, run));
    } finally {
      for (const x of copies) x.dispose();
    }
  }

  #entryFor(args: A): Entry<R> {
    const key = keyOf(args);
    const known = this.#entries.get(key);
    if (known?.isCurrent()) return known;
    const entry = this.#prepare(args, known);
    this.#entries.set(key, entry);
    entry.making.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    if (known) discard(known);
    return entry;
  }

  #prepare(args: A, former: Entry<R> | undefined): Entry<R> {
    const { recording, arrange } = record("compile", this.#f, args);
    const before = former?.making.catch(() => {}); // its own caller gets the error
    const make = async (): Promise<Made<R>> => {
      const plan = await Plan.make(recording, this.#progress);
      await before; // calls have their results in the order in which they are made
      entry.made = { plan, run: (args) => arrange(plan.run(args)) };
      return entry.made;
    };
    const entry: Entry<R> = {
      making: make(),
      made: undefined,
      isCurrent: () => recording.recorder.isCurrent,
      changes: () => recording.recorder.held.reduce((sum, { changes }) => sum + changes, 0),
      hasMoved: () => {
        const { recorder } = recording;
        if (recorder.isInPlace) return false;
        recorder.undo();
        return true;
      },
    };
    return entry;
  }
}

const CHANGED =
  "compile: tensors that the function uses beside its arguments were changed after it was called, and before it was ready to run: await its first call before weights change.";

/** Free the memory of a plan, after the calls that wait for it. */
const discard = <R>({ making }: Entry<R>): void => {
  making.then(({ plan }) => plan.dispose()).catch(() => {});
};

/** The same numbers in memory of their own, outside of any scope. */
function copyOf({ shape, dtype, device, storage }: Tensor): Tensor {
  const copy = unowned(empty(shape, dtype, device));
  device.launcher.copy(
    storage.buffer,
    storage.offset,
    copy.storage.buffer,
    0,
    Math.ceil(storage.bytes / 4) * 4,
  );
  return copy;
}

/** Equal for all calls that share a plan. */
function keyOf(args: readonly Tensor[]): string {
  const device = args[0]?.device ?? defaultDevice();
  const shapes = args.map(({ shape, dtype, requiresGrad }) => `${dtype} ${shape} ${requiresGrad}`);
  return [idOf(device), precisionOn(device), ...shapes].join("; ");
}

const ids = new WeakMap<Device, number>();
let devices = 0;

function idOf(device: Device): number {
  let id = ids.get(device);
  if (id === undefined) ids.set(device, (id = devices++));
  return id;
}

/** @throws TypeError if an argument is no tensor; ShapeError if they are on two devices; Error if one was disposed. */
export function checkArguments(args: readonly unknown[]): void {
  if (recorder()) {
    throw new Error(
      "compile: a compiled function is called while another one is recorded; call the function that it was made from.",
    );
  }
  let first: Device | undefined;
  for (const [i, x] of args.entries()) {
    if (!(x instanceof Tensor)) {
      throw new TypeError(
        `compile: argument ${i} is ${kindOf(x)}, not a tensor. What is the same at each call belongs into the function; what changes, into a tensor.`,
      );
    }
    if (x.isDisposed) throw new Error(`compile: argument ${i} was disposed. It was ${x}.`);
    first ??= x.device;
    if (x.device !== first) throw twoDevices("compile", first, x.device, `argument ${i}`);
  }
}
