import { noGrad } from "../core/autograd.ts";
import { isInteger } from "../core/dtype.ts";
import { copied } from "../core/map.ts";
import { keep, scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { stateDict } from "../nn/module.ts";
import { cast } from "../ops/cast.ts";

/**
 * The floats of a model's state, weights and running statistics, under their names.
 *
 * @throws ShapeError if there are none.
 */
export function floatState(op: string, model: object): ReadonlyMap<string, Tensor> {
  const state = stateDict(model);
  const floats = new Map([...state].filter(([, { dtype }]) => !isInteger(dtype)));
  if (floats.size > 0) return floats;
  throw new ShapeError(
    `${op}: the model has no weights: its state has ${state.size} tensors, none of floats. Give the module whose fields they are.`,
  );
}

/** Copies in f32, whatever the weights are: small shares of a difference vanish in f16. Kept until they are disposed. */
export const wideCopies = (of: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> =>
  noGrad(() =>
    scope(
      () => new Map([...of].map(([name, x]) => [name, keep(x.dtype === "f32" ? copied(x) : cast(x, "f32"))])),
    ),
  );
