import { observer } from "./observe.ts";
import type { History, Tensor } from "./tensor.ts";

let recording = true;

/**
 * Run `f` without recording how its tensors are made: for evaluation, and for updating weights.
 *
 * @throws TypeError if `f` returns a promise.
 */
export function noGrad<T>(f: () => T): T {
  const before = recording;
  recording = false;
  try {
    const result = f();
    if (result instanceof Promise) {
      result.catch(() => {}); // its later errors follow from this one
      throw new TypeError(
        "noGrad: the function is async, and what it makes after its first await would be recorded. Read values outside.",
      );
    }
    return result;
  } finally {
    recording = before;
  }
}

/** Run `f` while how tensors are made is recorded, though it may be called where it is not. */
export function withGrad<T>(f: () => T): T {
  const before = recording;
  recording = true;
  try {
    return f();
  } finally {
    recording = before;
  }
}

/**
 * Record how `y` was made, unless none of its inputs wants a gradient.
 *
 * `of(dy)` gives one thunk per input, which computes that input's gradient. Thunks call `run`, or
 * ops under `noGrad`; those that nobody needs never run. `saved` are tensors beyond inputs and `y`
 * that only the thunks use.
 */
export function differentiable(
  op: string,
  y: Tensor,
  inputs: readonly Tensor[],
  of: History["of"],
  saved: readonly Tensor[] = [],
): Tensor {
  observer()?.computed(op, y);
  if (recording && inputs.some((x) => x.requiresGrad)) {
    y.requiresGrad = true;
    y.history = { op, inputs, saved, versions: versionsOf(y, inputs), of };
    for (const x of inputs) x.uses++;
  } else {
    for (const tensor of saved) tensor.dispose();
  }
  return y;
}

/** Versions of y, then of its inputs: counts of replaced contents. */
export const versionsOf = (y: Tensor, inputs: readonly Tensor[]): number[] =>
  [y, ...inputs].map((x) => x.storage.version);

/** True if an op on these inputs will be recorded: ask before computing what only a gradient needs. */
export const needsGrad = (...inputs: readonly (Tensor | undefined)[]): boolean =>
  recording && inputs.some((x) => x?.requiresGrad);
