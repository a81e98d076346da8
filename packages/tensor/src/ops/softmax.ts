import { softmax as kernel, softmaxGrad } from "@shadegrad/kernels-wgsl/softmax";
import { differentiable } from "../core/autograd.ts";
import { run } from "../core/run.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { around, axisOf } from "./axes.ts";
import { raised } from "./cast.ts";
import { fitted } from "./elementwise.ts";

/**
 * e^x / Σ e^x along an axis, the last unless given; large numbers do not overflow. f32 where f16 is only the precision of products.
 *
 * x `[…]` → `[…]`
 *
 * @throws ShapeError if x lacks the axis.
 */
export function softmax(x: Tensor, axis = -1): Tensor {
  checkTensors("softmax", { x });
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
  checkTensors("logSoftmax", { x });
  return along("logSoftmax", x, axis, true);
}

function along(op: string, x: Tensor, axis: number, LOG: boolean): Tensor {
  const [outer, size, inner] = around(x.shape, axisOf(op, x.shape, axis));
  const params = { outer, size, inner };
  const own = raised(x);
  const y = run(kernel, params, [own], x.shape, { holes: { LOG }, op });
  if (own !== x) own.dispose();
  return differentiable(op, y, [x], (dy) => [
    () => fitted(run(softmaxGrad, params, [y, dy], x.shape, { holes: { LOG } }), x, dy),
  ]);
}
