import { differentiable } from "../autograd.ts";
import { type DType, isInteger, type Tensor } from "../tensor.ts";
import { fitted, unary } from "./elementwise.ts";

/**
 * The same numbers in another type: fractions are cut off towards 0, and gradients pass between floats.
 *
 * x `[…]` → `[…]`
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  const y = dtype === x.dtype ? x.view() : unary("cast", x, (x) => x!, undefined, { dtype });
  if (isInteger(dtype) || isInteger(x.dtype)) return y;
  return differentiable("cast", y, [x], (dy) => [() => fitted(dy, x, dy)]);
}
