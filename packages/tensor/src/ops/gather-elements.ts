import { gatherParams } from "@shadegrad/kernels-wgsl/gather";
import { gatherElements as forward, gatherElementsGrad } from "@shadegrad/kernels-wgsl/gatherElements";
import { differentiable } from "../core/autograd.ts";
import { isInteger } from "../core/dtype.ts";
import { run } from "../core/run.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { around, axisOf } from "./axes.ts";

/**
 * The element of x at the index of each place along an axis; PyTorch's `gather`, NumPy's `take_along_axis`.
 *
 * An index below 0 or beyond the axis gives NaN, or 0 among whole numbers.
 *
 * x `[…, K, …]` · indices `[…, J, …]`, i32 or u32 → `[…, J, …]`
 *
 * @throws ShapeError if x lacks the axis, another axis differs, or the indices are fractions.
 */
export function gatherElements(x: Tensor, indices: Tensor, axis = -1): Tensor {
  checkTensors("gatherElements", { x, indices });
  const at = axisOf("gatherElements", x.shape, axis);
  const { shape } = indices;
  const fail = (what: string) =>
    new ShapeError(`gatherElements: ${what}. x is [${x.shape}]; indices are [${shape}].`);
  if (!isInteger(indices.dtype)) throw fail(`indices have to be i32 or u32 but are ${indices.dtype}`);
  const odd = x.shape.findIndex((side, i) => i !== at && side !== shape[i]);
  if (shape.length !== x.shape.length)
    throw fail(`x has ${x.shape.length} axes but indices have ${shape.length}`);
  if (odd >= 0) throw fail(`axis ${odd} has ${x.shape[odd]} elements in x but ${shape[odd]} in indices`);
  const type = x.dtype === "f16" ? "f32" : x.dtype;
  const p = gatherParams(around(x.shape, at), shape[at]!, type, isInteger(type) ? 0 : Number.NaN);
  const types = { Elem: x.dtype, Index: indices.dtype };
  const { y } = run(
    forward,
    p,
    [x, indices],
    { y: { shape, dtype: x.dtype } },
    { holes: { ...types, Scalar: type } },
  );
  // The indices are an input so that they live until the gradient has been computed; they get none.
  return differentiable("gatherElements", y, [x, indices], (dy) => [
    () => run(gatherElementsGrad, p, [dy, indices], x.shape, { holes: types }),
    () => dy,
  ]);
}
