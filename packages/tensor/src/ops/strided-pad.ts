import { differentiable } from "../core/autograd.ts";
import { strides } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { padded } from "./strided-copy.ts";

/** Elements before and after each axis. */
export type Padding = readonly (readonly [before: number, after: number])[];

/**
 * Every `steps`-th element along each axis, and zeros before and after them: `pad` of a `slice` with those steps, in one
 * launch forward and one backward.
 *
 * x `[…]` · steps, one for each axis · padding `[before, after]` for each axis → `[…]`, each side before + ⌈x's / step⌉ + after
 *
 * @throws ShapeError unless each axis has a step ≥ 1 and two whole numbers ≥ 0 of padding.
 */
export function stridedPad(x: Tensor, steps: readonly number[], padding: Padding): Tensor {
  checkTensors("stridedPad", { x });
  const { length } = x.shape;
  const isSane =
    padding.length === length && padding.every((sides) => sides.length === 2 && areFrom(0, sides));
  if (!isSane || steps.length !== length || !areFrom(1, steps)) {
    throw new ShapeError(
      `stridedPad: each of ${length} axes needs a step ≥ 1 and [before, after] ≥ 0, whole numbers. x is [${x.shape}]; steps are [${steps}]; padding is ${JSON.stringify(padding)}.`,
    );
  }
  return everyPadded("stridedPad", x, steps, padding, 0);
}

const areFrom = (least: number, numbers: readonly number[]): boolean =>
  numbers.every((n) => Number.isInteger(n) && n >= least);

/** `stridedPad` of what has been checked, under the name of another op. */
export function everyPadded(
  op: string,
  x: Tensor,
  steps: readonly number[],
  padding: Padding,
  value: number,
): Tensor {
  const counts = x.shape.map((side, axis) => Math.ceil(side / steps[axis]!));
  const windows = counts.map((count, axis) => {
    const [low, after] = padding[axis]!;
    return { side: low + count + after, low, step: 1, count };
  });
  const from = { strides: strides(x.shape).map((stride, axis) => stride * steps[axis]!), offset: 0 };
  const gradient = (dy: Tensor): Tensor => {
    const along = strides(dy.shape);
    const offset = windows.reduce((sum, { low }, axis) => sum + low * along[axis]!, 0);
    const taken = x.shape.map((side, axis) => ({ side, low: 0, step: steps[axis]!, count: counts[axis]! }));
    return padded(op, dy, taken, { strides: along, offset });
  };
  return differentiable(op, padded(op, x, windows, from, value), [x], (dy) => [() => gradient(dy)]);
}
