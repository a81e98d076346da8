import { differentiable } from "../core/autograd.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { kindOf, ShapeError } from "../errors.ts";
import { axesOf, axisOf, newAxisOf } from "./axes.ts";

/**
 * The same elements in the same order under another shape: a view, which shares the memory.
 *
 * x `[…]` → `shape`, in which one side may be −1: what remains.
 *
 * @throws ShapeError if the shape holds another number of elements.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensors("reshape", { x });
  return viewed("reshape", x, resolve(x, shape));
}

/**
 * Axes `first` to `last` as one: a view. Without them, all axes but the first, which counts examples.
 *
 * x `[N, …]` → `[N, ∏…]`
 *
 * @throws ShapeError if x lacks one of the axes.
 */
export function flatten(x: Tensor, first = 1, last = -1): Tensor {
  checkTensors("flatten", { x });
  if (x.shape.length < 2) return viewed("flatten", x, [x.size]);
  const from = axisOf("flatten", x.shape, first);
  const to = axisOf("flatten", x.shape, last);
  const middle = sizeOf(x.shape.slice(from, to + 1));
  return viewed("flatten", x, [...x.shape.slice(0, from), middle, ...x.shape.slice(to + 1)]);
}

/**
 * Without axes of 1 element: those given, or all that there are; a view.
 *
 * @throws ShapeError if one of the axes has another number of elements.
 */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  checkTensors("squeeze", { x });
  const gone =
    axes === undefined
      ? x.shape.flatMap((side, axis) => (side === 1 ? [axis] : []))
      : axesOf("squeeze", x.shape, axes);
  const long = gone.find((axis) => x.shape[axis] !== 1);
  if (long !== undefined) {
    throw new ShapeError(`squeeze: axis ${long} has ${x.shape[long]} elements, not 1. x is [${x.shape}].`);
  }
  return viewed(
    "squeeze",
    x,
    x.shape.filter((_, axis) => !gone.includes(axis)),
  );
}

/**
 * With an axis of 1 element put in at `axis` of the result: a view.
 *
 * @throws ShapeError if the result has no such axis.
 */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  checkTensors("unsqueeze", { x });
  const shape = [...x.shape];
  shape.splice(newAxisOf("unsqueeze", x.shape, axis), 0, 1);
  return viewed("unsqueeze", x, shape);
}

function viewed(op: string, x: Tensor, shape: Shape): Tensor {
  return differentiable(op, x.view(shape), [x], (dy) => [() => dy.view(x.shape)]);
}

/** The shape with its −1 worked out. */
function resolve(x: Tensor, shape: Shape): Shape {
  if (!Array.isArray(shape)) {
    throw new TypeError(
      `reshape: a shape is an array such as [2, 3], not ${kindOf(shape)}. x is [${x.shape}].`,
    );
  }
  const fail = (what: string) => new ShapeError(`reshape: ${what}. x is [${x.shape}]; shape is [${shape}].`);
  const open = shape.indexOf(-1);
  if (open !== shape.lastIndexOf(-1)) throw fail("only one side may be -1");
  const odd = shape.find((side) => side !== -1 && !(Number.isInteger(side) && side >= 0));
  if (odd !== undefined) throw fail(`a side of ${odd} is not a whole number ≥ 0`);
  const known = sizeOf(shape.filter((side) => side !== -1));
  if (open < 0 && known !== x.size) throw fail(`x has ${x.size} elements but the shape holds ${known}`);
  if (open < 0) return [...shape];
  if (known === 0 || x.size % known !== 0) {
    throw fail(`${x.size} elements do not divide into groups of ${known}, to find the side of -1`);
  }
  return shape.map((side) => (side === -1 ? x.size / known : side));
}
