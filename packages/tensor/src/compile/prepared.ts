import { type Recorder, recorder } from "../core/recorder.ts";
import { empty, Tensor } from "../core/tensor.ts";
import { kindOf } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { autocast, type Precision, precisionOn } from "../gpu/precision.ts";
import { Plan, type PlanSummary } from "./plan.ts";
import { copyBytes, record, twoDevices, unowned } from "./record.ts";

/** Called with the number of compiled pipelines and the total. */
export type Progress = (done: number, of: number) => void;

/** A plan, and the structure of its results. */
export interface Made<R> {
  readonly plan: Plan;
  run(args: readonly Tensor[]): R;
}

/** A way to run a plan: once for its results, or for its times. */
type Run<R, T> = (made: Made<R>, args: readonly Tensor[]) => T;

/** A plan, made or in the making. */
interface Entry<R> {
  readonly recorder: Recorder;
  readonly making: Promise<unknown>;
  made: Made<R> | undefined;
}

/** A call, with all that its plan depends on. */
interface Call<A> {
  readonly args: A;
  readonly device: Device;
  readonly precision: Precision;
  /** Equal for all calls that share a plan. */
  readonly key: string;
}

/** The plans of one function: one per device, precision, and combination of argument shapes and types. */
export class Prepared<A extends readonly Tensor[], R> {
  /** Summary of the plan for the latest call. */
  summary: PlanSummary | undefined;
  readonly #f: (...args: A) => R;
  readonly #progress: Progress | undefined;
  readonly #entries = new Map<string, Entry<R>>();
  /** End of the latest call that waits for a plan, by key: calls with the same key run in the order in which they are made. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(f: (...args: A) => R, progress: Progress | undefined) {
    this.#f = f;
    this.#progress = progress;
  }

  /** Use the plan for these arguments: at once if it exists and no call waits. */
  use<T>(args: A, run: Run<R, T>): T | Promise<Awaited<T>> {
    const call = callOf(args);
    const entry = this.#entryFor(call);
    const isNext = entry.made && !this.#turns.has(call.key);
    return isNext ? this.#run(entry, args, run) : this.#runInTurn(entry, call, run);
  }

  dispose(): void {
    for (const [key, entry] of this.#entries) this.#discard(key, entry);
    this.#entries.clear();
    this.summary = undefined;
  }

  #run<T>({ made }: Entry<R>, args: readonly Tensor[], run: Run<R, T>): T {
    this.summary = made!.plan.summary;
    return run(made!, args);
  }

  #runInTurn<T>(entry: Entry<R>, call: Call<A>, run: Run<R, T>): Promise<Awaited<T>> {
    const { key, args } = call;
    // Until it is their turn, the caller may change the arguments or dispose them.
    const copies = args.map(copyOf) as unknown as A;
    const changes = changesOf(entry);
    const before = this.#turns.get(key);
    const runAfter = async (): Promise<Awaited<T>> => {
      await before;
      return await this.#runReady(entry, changes, { ...call, args: copies }, run);
    };
    const result = runAfter().finally(() => {
      for (const x of copies) x.dispose();
    });
    const end = () => {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    };
    const turn = result.then(end, end);
    this.#turns.set(key, turn);
    return result;
  }

  /** @param changes of the plan's memory when the call was made */
  async #runReady<T>(entry: Entry<R>, changes: number, call: Call<A>, run: Run<R, T>): Promise<Awaited<T>> {
    await entry.making;
    const isChanged = changesOf(entry) !== changes;
    if (!isChanged && entry.recorder.isInPlace) return await this.#run(entry, call.args, run);
    entry.recorder.undo();
    if (isChanged) throw new Error(CHANGED);
    // Memory was moved, so that it takes another plan.
    const next = this.#entryFor(call);
    return this.#runReady(next, changesOf(next), call, run);
  }

  #entryFor(call: Call<A>): Entry<R> {
    const { key } = call;
    const known = this.#entries.get(key);
    if (known?.recorder.isCurrent) return known;
    const entry = this.#prepare(call);
    this.#entries.set(key, entry);
    entry.making.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      entry.recorder.undo();
    });
    if (known) this.#discard(key, known);
    return entry;
  }

  #prepare({ args, device, precision }: Call<A>): Entry<R> {
    const records = () => record("compile", this.#f, args);
    // A call that has waited may have been made under `autocast`.
    const isAsNow = precisionOn(device) === precision;
    const { recording, arrange } = isAsNow ? records() : autocast(precision, records);
    const { recorder } = recording;
    const make = async (): Promise<void> => {
      const plan = await Plan.make(recording, this.#progress);
      entry.made = { plan, run: (args) => arrange(plan.run(args)) };
    };
    // Behind calls that wait, code of the host runs when it is this call's turn, as theirs does.
    if (this.#turns.size > 0) recorder.undo();
    const entry: Entry<R> = { recorder, making: make(), made: undefined };
    return entry;
  }

  /** Free the memory of a plan: at once, or after the calls that wait for it, as some do while it is in the making. */
  #discard(key: string, entry: Entry<R>): void {
    const last = this.#turns.get(key);
    const free = () => entry.made?.plan.dispose();
    if (last) void last.then(free);
    else free();
  }
}

const CHANGED =
  "compile: tensors that the function uses beside its arguments were changed before it was ready: await its first call before weights change.";

/** Count of changes that were made at once to tensors that the function reads or changes beside its arguments. */
const changesOf = ({ recorder }: Entry<unknown>): number =>
  recorder.held.reduce((sum, { changes }) => sum + changes, 0);

/** The same numbers in memory of their own, outside of any scope. */
function copyOf({ shape, dtype, requiresGrad, device, storage }: Tensor): Tensor {
  const copy = unowned(empty(shape, dtype, device));
  copy.requiresGrad = requiresGrad;
  copyBytes(storage, copy.storage);
  return copy;
}

function callOf<A extends readonly Tensor[]>(args: A): Call<A> {
  const device = args[0]?.device ?? defaultDevice();
  const precision = precisionOn(device);
  const shapes = args.map(({ shape, dtype, requiresGrad }) => `${dtype} ${shape} ${requiresGrad}`);
  return { args, device, precision, key: [device.serial, precision, ...shapes].join("; ") };
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
