import type { Timing } from "@shadegrad/kernels-wgsl";
import { observer } from "../core/observe.ts";
import { recorder } from "../core/recorder.ts";
import { scope } from "../core/scope.ts";
import { Tensor } from "../core/tensor.ts";
import { kindOf } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { precisionOn } from "../gpu/precision.ts";
import { Plan, type PlanSummary } from "./plan.ts";
import { record, unowned } from "./record.ts";

export interface CompileOptions {
  /** Told how many of how many pipelines are compiled, while they are. */
  onProgress?: (done: number, of: number) => void;
}

/** A function that is prepared once for each shapes of its arguments. */
export interface Compiled<A extends readonly Tensor[], R> {
  /** The results are new tensors, of whoever called. */
  (...args: A): Promise<R>;
  /**
   * Call it once and tell what each launch took, in order.
   *
   * @throws KernelError if the device has no timestamps.
   */
  profile(...args: A): Promise<Timing[]>;
  /** What was made of it for the shapes of the latest call. */
  readonly plan: PlanSummary | undefined;
  /** Give back its memory; the next call prepares it anew. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * Prepare a function of tensors: `const step = compile((x) => model.forward(x)); const y = await step(x)`.
 *
 * It is called once for each shapes of its arguments, and what it launches is written down. Elementwise
 * ops are merged into the kernels before them, what depends on weights alone is computed once and again
 * when they change, tensors share memory, pipelines and bind groups are made once; each call then
 * encodes one pass and submits once. A whole training step compiles in the same way: parameters,
 * running statistics and an optimizer's memory are changed in place, and learning rates and random
 * numbers are those of each call.
 *
 * Other values of the host are those of the first call: give what changes as a tensor. Arguments are copied when it
 * is called. While an observer looks on, as under `DEBUG` or in `findNaN`, each call runs op by op.
 *
 * @throws TypeError if an argument is no tensor, or the function is async; Error if it reads a tensor's
 *   numbers, or leaves tensors behind other than by returning them.
 */
export function compile<A extends readonly Tensor[], R>(
  f: (...args: A) => R,
  { onProgress }: CompileOptions = {},
): Compiled<A, R> {
  const plans = new Map<string, Entry<R>>();
  let latest: PlanSummary | undefined;

  const prepared = (args: A): Entry<R> => {
    const key = keyOf(args);
    const known = plans.get(key);
    if (known?.isCurrent()) return known;
    const { recording, arrange } = record("compile", f, args);
    const before = known?.plan.catch(() => {}); // whoever called it was told
    const making = Plan.make(recording, onProgress).then(async (plan): Promise<Made<R>> => {
      await before; // calls have their results in the order in which they are made
      entry.made = { plan, run: (args) => arrange(plan.run(args)) as R };
      return entry.made;
    });
    const entry: Entry<R> = {
      plan: making,
      made: undefined,
      isCurrent: () => recording.recorder.isCurrent,
    };
    plans.set(key, entry);
    making.catch(() => {
      if (plans.get(key) === entry) plans.delete(key);
    });
    if (known) discard(known);
    return entry;
  };
  /** Do something with the plan for these arguments: at once if it is there. */
  const using = <T>(args: A, run: (made: Made<R>, args: readonly Tensor[]) => T): T | Promise<T> => {
    const { made, plan } = prepared(args);
    if (made) {
      latest = made.plan.summary;
      return run(made, args);
    }
    // The caller may dispose the arguments before it is their turn.
    const held = args.map((x) => unowned(x.view()));
    return plan
      .then((made) => {
        latest = made.plan.summary;
        return run(made, held);
      })
      .finally(() => {
        for (const x of held) x.dispose();
      });
  };
  const call = (args: A): Promise<R> | R => {
    check(args);
    return observer() ? scope(() => f(...args)) : using(args, (made, args) => made.run(args));
  };
  const profile = async (...args: A): Promise<Timing[]> => {
    check(args);
    if (observer()) throw new Error("compile: an observer looks on, and so nothing is compiled to be timed.");
    return using(args, ({ plan }, args) => plan.profile(args));
  };
  const dispose = () => {
    for (const entry of plans.values()) discard(entry);
    plans.clear();
    latest = undefined;
  };
  return Object.defineProperty(
    Object.assign(async (...args: A) => call(args), { profile, dispose, [Symbol.dispose]: dispose }),
    "plan",
    { get: () => latest },
  ) as Compiled<A, R>;
}

/** What is the same for all calls that share a plan. */
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

/** A plan that is being made, or is there. */
interface Entry<R> {
  readonly plan: Promise<Made<R>>;
  made: Made<R> | undefined;
  /** Whether the host still decides as it did when it was recorded. */
  isCurrent(): boolean;
}

/** Give back the memory of a plan, once those who wait for it had their turn. */
const discard = <R>({ plan }: Entry<R>): void => {
  plan.then((made) => made.plan.dispose()).catch(() => {});
};

/** A plan, and how its results are arranged. */
interface Made<R> {
  readonly plan: Plan;
  run(args: readonly Tensor[]): R;
}

function check(args: readonly unknown[]): void {
  if (recorder()) {
    throw new Error(
      "compile: a compiled function is called while another one is recorded; call the function that it was made from.",
    );
  }
  args.forEach((x, i) => {
    if (x instanceof Tensor) {
      if (x.isDisposed) throw new Error(`compile: argument ${i} was disposed. It was ${x}.`);
      return;
    }
    throw new TypeError(
      `compile: argument ${i} is ${kindOf(x)}, not a tensor. What is the same at each call belongs into the function; what changes, into a tensor.`,
    );
  });
}
