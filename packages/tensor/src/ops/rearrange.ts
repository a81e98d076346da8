import { scope } from "../core/scope.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { axesOf, axisOf } from "./axes.ts";
import { alongEach, picked } from "./pad-modes.ts";
import { reshape } from "./shape.ts";
import { split } from "./slice.ts";

/**
 * Elements moved along axes by `shifts` places; what leaves at the end comes in at the start. Without axes, x is one row.
 *
 * x `[…]` → `[…]`
 *
 * @throws ShapeError if x lacks one of the axes, or there is not one shift for each.
 */
export function roll(
  x: Tensor,
  shifts: number | readonly number[],
  axes?: number | readonly number[],
): Tensor {
  checkTensors("roll", { x });
  const by = [shifts].flat() as number[];
  if (axes === undefined) {
    if (by.length !== 1) throw new ShapeError(`roll: ${by.length} shifts without axes. x is [${x.shape}].`);
    return scope(() => reshape(roll(reshape(x, [-1]), by, 0), x.shape));
  }
  const along = ([axes].flat() as number[]).map((axis) => axisOf("roll", x.shape, axis));
  axesOf("roll", x.shape, axes);
  if (along.length !== by.length || !by.every(Number.isInteger)) {
    throw new ShapeError(`roll: shifts are [${by}] for axes [${along}]. x is [${x.shape}].`);
  }
  return alongEach(x, along, (y, axis) => {
    const side = x.shape[axis]!;
    const shift = by[along.indexOf(axis)]!;
    const places = Array.from({ length: side }, (_, at) => (((at - shift) % side) + side) % side);
    return picked(y, places, axis);
  });
}

/**
 * Each element `times` times, one after the other, along an axis: NumPy's `repeat`, PyTorch's `repeat_interleave`. PyTorch's
 * `repeat` is `tile`.
 *
 * x `[…]` → `[…]`, `times` times as long along `axis`
 *
 * @throws ShapeError if x lacks the axis, or times is no whole number ≥ 0.
 */
export function repeat(x: Tensor, times: number, axis = 0): Tensor {
  checkTensors("repeat", { x });
  const at = axisOf("repeat", x.shape, axis);
  if (!(Number.isInteger(times) && times >= 0))
    throw new ShapeError(`repeat: ${times} times is no whole number ≥ 0. x is [${x.shape}].`);
  const places = Array.from({ length: times * x.shape[at]! }, (_, i) => Math.floor(i / times));
  return picked(x, places, at);
}

/**
 * At most `count` pieces along an axis, of equal size but for the last, as PyTorch's.
 *
 * x `[…]` → one tensor for each piece
 *
 * @throws ShapeError if x lacks the axis, or count is no whole number ≥ 1.
 */
export function chunk(x: Tensor, count: number, axis = 0): Tensor[] {
  checkTensors("chunk", { x });
  const side = x.shape[axisOf("chunk", x.shape, axis)]!;
  if (!(Number.isInteger(count) && count >= 1))
    throw new ShapeError(`chunk: ${count} pieces is no whole number ≥ 1. x is [${x.shape}].`);
  return split(x, Math.max(1, Math.ceil(side / count)), axis);
}
