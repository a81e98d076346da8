import { differentiable } from "../core/autograd.ts";
import type { Shape } from "../core/shape.ts";
import { checkShape, isSame, strides } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { fitted } from "./elementwise.ts";
import { gathered } from "./strided-copy.ts";

/**
 * Repeated along axes of 1 element, and along new ones before the first, until it has `shape`.
 *
 * x `[…]` → `shape`
 *
 * @throws ShapeError if NumPy's rules do not broadcast x to that shape.
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkTensors("broadcastTo", { x });
  checkShape("broadcastTo", shape);
  const extra = shape.length - x.shape.length;
  const wrong = x.shape.findIndex((side, axis) => side !== 1 && side !== shape[axis + extra]);
  if (extra < 0 || wrong >= 0) {
    const what =
      extra < 0
        ? `x has ${x.shape.length} axes but the shape only ${shape.length}`
        : `axis ${wrong} of x has ${x.shape[wrong]} elements but the shape wants ${shape[wrong + extra]}`;
    throw new ShapeError(`broadcastTo: ${what}. x is [${x.shape}]; shape is [${shape}].`);
  }
  const y = gathered("broadcastTo", x, [...shape], { strides: strides(x.shape, shape), offset: 0 });
  return differentiable("broadcastTo", y, [x], (dy) => [() => fitted(dy, x, dy)]);
}

/**
 * All of x, over and over: `repeats[i]` times along axis i.
 *
 * x `[…]` → `[…]`, each side `repeats` times as long
 *
 * @throws ShapeError unless there is a whole number ≥ 0 for each axis.
 */
export function tile(x: Tensor, repeats: readonly number[]): Tensor {
  checkTensors("tile", { x });
  if (repeats.length !== x.shape.length || repeats.some((n) => !Number.isInteger(n) || n < 0)) {
    throw new ShapeError(
      `tile: each of ${x.shape.length} axes needs a whole number ≥ 0 of repeats. x is [${x.shape}]; repeats are [${repeats}].`,
    );
  }
  // Each axis as two: which repetition, and where in it.
  const once = x.shape.flatMap((side) => [1, side]);
  const apart = x.shape.flatMap((side, axis) => [repeats[axis]!, side]);
  const shape = x.shape.map((side, axis) => side * repeats[axis]!);
  const along = strides(x.shape).flatMap((stride) => [0, stride]);
  const y = viewAs(gathered("tile", x, apart, { strides: along, offset: 0 }), shape);
  return differentiable("tile", y, [x], (dy) => [
    () => {
      const parts = dy.view(apart);
      const sum = fitted(parts, { shape: once, dtype: x.dtype }, parts);
      const dx = sum.view(x.shape);
      sum.dispose();
      if (sum !== parts) parts.dispose();
      return dx;
    },
  ]);
}

function viewAs(x: Tensor, shape: Shape): Tensor {
  if (isSame(x.shape, shape)) return x;
  const view = x.view(shape);
  x.dispose();
  return view;
}
