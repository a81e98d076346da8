import type { Timing } from "@shadegrad/kernels-wgsl";
import { observer } from "../core/observe.ts";
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkOptions } from "../errors.ts";
import type { PlanSummary } from "./plan.ts";
import { checkArguments, Prepared, type Progress } from "./prepared.ts";

export interface CompileOptions {
  /** Called with the number of compiled pipelines and the total, while they are compiled. */
  onProgress?: Progress;
}

/** A function that is prepared once per combination of argument shapes. */
export interface Compiled<A extends readonly Tensor[], R> {
  /** The results are new tensors, of whoever called. */
  (...args: A): Promise<R>;
  /**
   * Call it once and give the time of each launch, in order.
   *
   * @throws KernelError if the device has no timestamps.
   */
  profile(...args: A): Promise<Timing[]>;
  /** The plan for the shapes of the latest call. */
  readonly plan: PlanSummary | undefined;
  /** Free its memory; the next call prepares it again. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * Prepare a function of tensors: `const step = compile((x) => model.forward(x)); const y = await step(x)`.
 *
 * It is called once per combination of argument shapes, and its launches are written down. Elementwise
 * ops are merged into the kernels before them, results that depend on weights alone are computed once and again
 * when the weights change, tensors share memory, pipelines and bind groups are made once; each call then
 * encodes one pass and submits once. A whole training step compiles in the same way: parameters,
 * running statistics and an optimizer's memory are changed in place; learning rates and random
 * numbers are those of each call; where the mode of a layer changes (`train`, `evaluate`), it is recorded again.
 *
 * Other values of the host are those of the first call: give what changes as a tensor. Calls with arguments of the same shapes
 * run in the order in which they are made, awaited or not. One that waits, as those after the first call do until its plan is
 * ready, takes learning rates and random numbers when it runs, and a call with other shapes may run before it: await the first
 * call for each combination of shapes. Arguments are copied when it is called. Weights are not: a call that waits fails where
 * they change meanwhile. While an observer looks on, as under `DEBUG` or in `findNaN`, each call runs op by op.
 *
 * @throws TypeError if an argument is no tensor, or the function is async; ShapeError if tensors are on two
 *   devices; Error if it reads a tensor's numbers, or leaves tensors behind other than by returning them.
 */
export function compile<A extends readonly Tensor[], R>(
  f: (...args: A) => R,
  options: CompileOptions = {},
): Compiled<A, R> {
  checkOptions("compile", options, ["onProgress"]);
  const prepared = new Prepared(f, options.onProgress);
  const call = async (...args: A): Promise<R> => {
    checkArguments(args);
    return observer() ? scope(() => f(...args)) : prepared.use(args, (made, args) => made.run(args));
  };
  const profile = async (...args: A): Promise<Timing[]> => {
    checkArguments(args);
    if (observer()) throw new Error("compile: an observer looks on, and so nothing is compiled to be timed.");
    return prepared.use(args, ({ plan }, args) => plan.profile(args));
  };
  const dispose = () => prepared.dispose();
  const compiled = Object.assign(call, { profile, dispose, [Symbol.dispose]: dispose });
  return Object.defineProperty(compiled, "plan", { get: () => prepared.summary }) as Compiled<A, R>;
}
