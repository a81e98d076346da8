import { differentiable } from "../core/autograd.ts";
import { checkDType, type DType, isInteger } from "../core/dtype.ts";
import { elementwise } from "../core/map.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { precisionOn } from "../gpu/precision.ts";
import { fitted, unary } from "./elementwise.ts";

/**
 * The same numbers in another type: fractions are cut off towards 0, and gradients pass between floats.
 *
 * x `[…]` → `[…]`
 *
 * @throws RangeError if there is no such type.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkTensors("cast", { x });
  checkDType("cast", dtype);
  const y = dtype === x.dtype ? x.view() : unary("cast", x, (x) => x!, undefined, { dtype });
  if (isInteger(dtype) || isInteger(x.dtype)) return y;
  return differentiable("cast", y, [x], (dy) => [() => fitted(dy, x, dy)]);
}

/**
 * An operand as products take it: a copy in f16 of what is f32, where that is the precision; else itself.
 * Not recorded: for ops that give the gradient of what they were given.
 */
export const lowered = (x: Tensor): Tensor => converted(x, "f32", "f16");

/** An operand as exponentials take it: an f32 copy of an f16 tensor, where f16 is only the precision of products. */
export const raised = (x: Tensor): Tensor => converted(x, "f16", "f32");

const converted = (x: Tensor, from: DType, dtype: DType): Tensor =>
  x.dtype === from && precisionOn(x.device) === "f16"
    ? elementwise((x) => x!, [x], { dtype, op: "cast" })
    : x;
