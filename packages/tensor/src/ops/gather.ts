import { gather as forward, gatherGrad, gatherParams } from "@shadegrad/kernels-wgsl/gather";
import { differentiable } from "../core/autograd.ts";
import { arange } from "../core/create.ts";
import { isInteger } from "../core/dtype.ts";
import { type Expression, elementwise } from "../core/map.ts";
import { run } from "../core/run.ts";
import { checkShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { around, axisOf } from "./axes.ts";

/**
 * The elements of x at `indices` along an axis, as NumPy's `take`; of a table of embeddings, its rows.
 *
 * An index below 0 or beyond the axis gives NaN, or 0 among whole numbers.
 *
 * x `[…, K, …]` · indices `[…]`, i32 or u32 → x's shape with that of the indices in the place of K
 *
 * @throws ShapeError if x lacks the axis, or the indices are fractions.
 */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  checkTensors("gather", { x, indices });
  checkWhole("gather", "indices", indices, `x is [${x.shape}]; indices are [${indices.shape}].`);
  const at = axisOf("gather", x.shape, axis);
  const type = x.dtype === "f16" ? "f32" : x.dtype;
  const p = gatherParams(around(x.shape, at), indices.size, type, isInteger(type) ? 0 : Number.NaN);
  const shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)];
  const types = { Elem: x.dtype, Index: indices.dtype };
  const writes = { y: { shape, dtype: x.dtype } };
  const { y } = run(forward, p, [x, indices], writes, { holes: { ...types, Scalar: type } });
  // The indices are an input so that they live until the gradient has been computed; they get none.
  return differentiable("gather", y, [x, indices], (dy) => [
    () => run(gatherGrad, p, [dy, indices], x.shape, { holes: types }),
    () => dy,
  ]);
}

/**
 * 1 at each label's place among `classes` and 0 elsewhere, as f32; all 0 for a label beyond them.
 *
 * labels `[…]`, i32 or u32 → `[…, classes]`
 *
 * @throws ShapeError if the labels are fractions.
 */
export function oneHot(labels: Tensor, classes: number): Tensor {
  checkShape("oneHot", [classes]);
  checkWhole("oneHot", "labels", labels, `They are [${labels.shape}].`);
  const names = arange(classes, { dtype: labels.dtype, device: labels.device });
  const column = labels.view([...labels.shape, 1]);
  const isLabel: Expression = (label, name) => `select(Vec(0), Vec(1), ${label} == ${name})`; // no NaN: integers
  const y = elementwise(isLabel, [column, names], {
    dtype: "f32",
  });
  for (const tensor of [names, column]) tensor.dispose();
  return y;
}

function checkWhole(op: string, what: string, x: Tensor, shapes: string): void {
  if (isInteger(x.dtype)) return;
  throw new ShapeError(`${op}: ${what} have to be i32 or u32 but are ${x.dtype}. ${shapes}`);
}
