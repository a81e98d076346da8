import type { Timing } from "@shadegrad/kernels-wgsl";
import { kindOf } from "../errors.ts";
import { observer } from "../observe.ts";
import { scope } from "../scope.ts";
import { Tensor } from "../tensor.ts";
import { Plan, type PlanSummary } from "./plan.ts";
import { record, unowned } from "./record.ts";
import { recorder } from "./recorder.ts";

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
  const plans = new Map<string, { plan: Promise<Made<R>>; made: Made<R> | undefined }>();
  let latest: PlanSummary | undefined;

  const call = (args: A): Promise<R> | R => {
    check(args);
    if (observer()) return scope(() => f(...args));
    const key = keyOf(args);
    let entry = plans.get(key);
    if (entry?.made && !entry.made.plan.isCurrent) {
      entry.made.plan.dispose();
      entry = undefined;
    }
    if (entry?.made) {
      latest = entry.made.plan.summary;
      return entry.made.run(args);
    }
    if (!entry) {
      const fresh = { plan: prepared(f, args, onProgress), made: undefined as Made<R> | undefined };
      entry = fresh;
      plans.set(key, fresh);
      fresh.plan.then(
        (made) => {
          fresh.made = made;
        },
        () => plans.delete(key),
      );
    }
    // The caller may dispose the arguments before it is their turn.
    const held = args.map((x) => unowned(x.view()));
    return entry.plan
      .then((made) => {
        latest = made.plan.summary;
        return made.run(held);
      })
      .finally(() => {
        for (const x of held) x.dispose();
      });
  };
  const profile = async (...args: A): Promise<Timing[]> => {
    check(args);
    await call(args);
    const entry = plans.get(keyOf(args));
    if (!entry) throw new Error("compile: an observer looks on, and so nothing was compiled to be timed.");
    const { plan } = await entry.plan;
    return plan.profile(args);
  };
  const dispose = () => {
    for (const { plan } of plans.values()) plan.then((made) => made.plan.dispose()).catch(() => {});
    plans.clear();
    latest = undefined;
  };
  return Object.defineProperty(
    Object.assign(async (...args: A) => call(args), { profile, dispose, [Symbol.dispose]: dispose }),
    "plan",
    { get: () => latest },
  ) as Compiled<A, R>;
}

const keyOf = (args: readonly Tensor[]): string =>
  args.map(({ shape, dtype, requiresGrad }) => `${dtype} ${shape} ${requiresGrad}`).join("; ");

/** A plan, and how its results are arranged. */
interface Made<R> {
  readonly plan: Plan;
  run(args: readonly Tensor[]): R;
}

async function prepared<A extends readonly Tensor[], R>(
  f: (...args: A) => R,
  args: A,
  onProgress: CompileOptions["onProgress"],
): Promise<Made<R>> {
  const { recording, arrange } = record("compile", f, args);
  const plan = await Plan.make(recording, onProgress);
  return { plan, run: (args) => arrange(plan.run(args)) as R };
}

function check(args: readonly unknown[]): void {
  if (recorder()) {
    throw new Error(
      "compile: a compiled function is called while another one is recorded; call the function that it was made from.",
    );
  }
  args.forEach((x, i) => {
    if (x instanceof Tensor) return;
    throw new TypeError(
      `compile: argument ${i} is ${kindOf(x)}, not a tensor. What is the same at each call belongs into the function; what changes, into a tensor.`,
    );
  });
}
