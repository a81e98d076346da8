import { differentiable } from "../core/autograd.ts";
import type { Shape } from "../core/shape.ts";
import { strides } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { axesOf, axisOf } from "./axes.ts";
import { gathered } from "./strided-copy.ts";

/**
 * The axes in another order: axis i of the result is axis `axes[i]` of x.
 *
 * x `[N, H, W, C]` → `permute(x, [0, 3, 1, 2])` is `[N, C, H, W]`
 *
 * @throws ShapeError unless `axes` names each axis of x once.
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  checkTensors("permute", { x });
  if (axes.length !== x.shape.length) {
    throw new ShapeError(
      `permute: ${axes.length} axes are given but x has ${x.shape.length}. x is [${x.shape}]; axes are [${axes}].`,
    );
  }
  axesOf("permute", x.shape, axes);
  const order = axes.map((axis) => axisOf("permute", x.shape, axis));
  return permuted("permute", x, order);
}

/**
 * Two axes swapped; of a matrix, both.
 *
 * x `[M, N]` → `[N, M]`
 *
 * @throws ShapeError if x lacks one of the axes, or has not two and none are given.
 */
export function transpose(x: Tensor, first?: number, second?: number): Tensor {
  checkTensors("transpose", { x });
  if (first === undefined && second === undefined && x.shape.length !== 2) {
    throw new ShapeError(
      `transpose: x has ${x.shape.length} axes: say which two to swap, or use permute. x is [${x.shape}].`,
    );
  }
  const [a, b] = [first ?? 0, second ?? 1].map((axis) => axisOf("transpose", x.shape, axis)) as [
    number,
    number,
  ];
  const order = x.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis));
  return permuted("transpose", x, order);
}

function permuted(op: string, x: Tensor, order: readonly number[]): Tensor {
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return differentiable(op, turned(op, x, order), [x], (dy) => [() => turned(op, dy, inverse)]);
}

function turned(op: string, x: Tensor, order: readonly number[]): Tensor {
  const along = strides(x.shape);
  const shape: Shape = order.map((axis) => x.shape[axis]!);
  return gathered(op, x, shape, { strides: order.map((axis) => along[axis]!), offset: 0 });
}
