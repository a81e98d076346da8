import { softmax as kernel, softmaxGrad } from "@shadegrad/kernels-wgsl/softmax";
import { differentiable } from "../autograd.ts";
import { run } from "../run.ts";
import type { Tensor } from "../tensor.ts";
import { around, axisOf } from "./axes.ts";

/**
 * e^x / Σ e^x along an axis, the last unless given; large numbers do not overflow.
 *
 * x `[…]` → `[…]`
 *
 * @throws ShapeError if x lacks the axis.
 */
export function softmax(x: Tensor, axis = -1): Tensor {
  return along("softmax", x, axis, false);
}

/**
 * The logarithm of `softmax`, exact where that is close to 0 or 1.
 *
 * x `[…]` → `[…]`
 *
 * @throws ShapeError if x lacks the axis.
 */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return along("logSoftmax", x, axis, true);
}

function along(op: string, x: Tensor, axis: number, LOG: boolean): Tensor {
  const [outer, size, inner] = around(x.shape, axisOf(op, x.shape, axis));
  const params = { outer, size, inner };
  const y = run(kernel, params, [x], x.shape, { holes: { LOG } });
  return differentiable(op, y, [x], (dy) => [
    () => run(softmaxGrad, params, [y, dy], x.shape, { holes: { LOG } }),
  ]);
}
