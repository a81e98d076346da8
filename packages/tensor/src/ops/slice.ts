import { differentiable } from "../core/autograd.ts";
import { sizeOf, strides } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkNumbers, ShapeError } from "../errors.ts";
import { axesOf, axisOf } from "./axes.ts";
import { type PadMode, paddedWithItself } from "./pad-modes.ts";
import { gathered, padded } from "./strided-copy.ts";
import { everyPadded, type Padding } from "./strided-pad.ts";

/**
 * The elements from `starts` up to, not including, `ends`, every `steps`-th, as NumPy slices.
 *
 * Negative positions count from the end, those beyond it stop at it; an axis that is not given is
 * taken whole, as by 0 and Infinity. With a negative step, from `start` down: `-1, -Infinity, -1` turns.
 *
 * x `[…]` → `[…]`, each side ⌈(end − start) / step⌉
 *
 * @throws ShapeError if there are more positions than axes, or a step of 0.
 */
export function slice(
  x: Tensor,
  starts: readonly number[],
  ends: readonly number[] = [],
  steps: readonly number[] = [],
): Tensor {
  checkTensors("slice", { x });
  checkSlice(x, starts, ends, steps);
  const along = strides(x.shape);
  const positions = x.shape.map((side, axis) => {
    const step = steps[axis] ?? 1;
    const clip = (position: number): number => {
      const from = position < 0 ? position + side : position;
      return step > 0 ? Math.min(Math.max(from, 0), side) : Math.min(Math.max(from, -1), side - 1);
    };
    const start = clip(starts[axis] ?? (step > 0 ? 0 : side - 1));
    const end = clip(ends[axis] ?? (step > 0 ? side : Number.NEGATIVE_INFINITY));
    return { side, start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  });
  const shape = positions.map(({ count }) => count);
  const offset =
    sizeOf(shape) === 0 ? 0 : positions.reduce((sum, { start }, axis) => sum + start * along[axis]!, 0);
  const from = { strides: along.map((stride, axis) => stride * positions[axis]!.step), offset };
  return differentiable("slice", gathered("slice", x, shape, from), [x], (dy) => [
    () => unsliced(dy, positions),
  ]);
}

interface Positions {
  /** Elements of x along an axis, and those of them that are taken. */
  readonly side: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** dy where elements were taken, zeros elsewhere. */
function unsliced(dy: Tensor, positions: readonly Positions[]): Tensor {
  const along = strides(dy.shape);
  let offset = 0;
  // From the lowest position on: a negative step walks dy from its end.
  const windows = positions.map(({ side, start, step, count }, axis) => {
    const last = Math.max(0, count - 1);
    if (step > 0) return { side, low: start, step, count };
    offset += last * along[axis]!;
    along[axis]! *= -1;
    return { side, low: start + last * step, step: -step, count };
  });
  return padded("slice", dy, windows, { strides: along, offset });
}

function checkSlice(
  x: Tensor,
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[],
): void {
  const fail = (what: string) =>
    new ShapeError(
      `slice: ${what}. x is [${x.shape}]; starts are [${starts}], ends [${ends}]${steps.length > 0 ? `, steps [${steps}]` : ""}.`,
    );
  for (const [name, given] of Object.entries({ starts, ends, steps })) {
    if (given.length > x.shape.length) throw fail(`${given.length} ${name} for ${x.shape.length} axes`);
  }
  const step = steps.find((step) => !Number.isInteger(step) || step === 0);
  if (step !== undefined) throw fail(`a step of ${step} leads nowhere`);
  const odd = [...starts, ...ends].find(
    (at) => Number.isNaN(at) || (Number.isFinite(at) && !Number.isInteger(at)),
  );
  if (odd !== undefined) throw fail(`${odd} is no position`);
}

/**
 * The order along some axes reversed, all of them if none are given.
 *
 * x `[…]` → `[…]`
 *
 * @throws ShapeError if x lacks one of the axes.
 */
export function flip(x: Tensor, axes?: number | readonly number[]): Tensor {
  checkTensors("flip", { x });
  const over = axesOf("flip", x.shape, axes);
  const turned = (x: Tensor): Tensor => {
    const along = strides(x.shape);
    const last = x.size === 0 ? 0 : over.reduce((sum, axis) => sum + (x.shape[axis]! - 1) * along[axis]!, 0);
    const reversed = along.map((stride, axis) => (over.includes(axis) ? -stride : stride));
    return gathered("flip", x, x.shape, { strides: reversed, offset: last });
  };
  return differentiable("flip", turned(x), [x], (dy) => [() => turned(dy)]);
}

/**
 * Pieces along an axis: each of `size` elements and the last of what remains, or of the sizes given.
 *
 * x `[…]` → one tensor for each piece
 *
 * @throws ShapeError if the sizes do not add up to the axis, or x lacks it.
 */
export function split(x: Tensor, size: number | readonly number[], axis = 0): Tensor[] {
  checkTensors("split", { x });
  const at = axisOf("split", x.shape, axis);
  const side = x.shape[at]!;
  const fail = (what: string) => new ShapeError(`split: ${what}. x is [${x.shape}].`);
  if (typeof size === "number" && !(Number.isInteger(size) && size > 0)) {
    throw fail(`pieces of ${size} elements do not make up axis ${at}`);
  }
  const sizes =
    typeof size === "number"
      ? Array.from({ length: Math.ceil(side / size) }, (_, i) => Math.min(size, side - i * size))
      : size;
  const whole = sizes.every((part) => Number.isInteger(part) && part >= 0);
  if (!whole || sizes.reduce((a, b) => a + b, 0) !== side) {
    throw fail(`sizes [${size}] do not make up the ${side} elements of axis ${at}`);
  }
  let end = 0;
  return sizes.map((part) => {
    const start = end;
    end += part;
    const starts = x.shape.map((_, i) => (i === at ? start : 0));
    const ends = x.shape.map((side, i) => (i === at ? end : side));
    return slice(x, starts, ends);
  });
}

/**
 * With elements put before and after each axis: a number, or, by the name of a mode, elements of x itself (see `PadMode`).
 *
 * x `[…]` · padding `[before, after]` for each axis → `[…]`, each side before + x's + after
 *
 * @throws ShapeError unless padding has two whole numbers ≥ 0 for each axis.
 */
export function pad(x: Tensor, padding: Padding, value: number | PadMode = 0): Tensor {
  checkTensors("pad", { x });
  const sane = padding.every(
    (sides) => sides.length === 2 && sides.every((n) => Number.isInteger(n) && n >= 0),
  );
  if (padding.length !== x.shape.length || !sane) {
    const given = padding.map((sides) => `[${sides}]`).join(", ");
    throw new ShapeError(
      `pad: each of ${x.shape.length} axes needs [before, after], whole numbers ≥ 0. x is [${x.shape}]; padding is [${given}].`,
    );
  }
  if (typeof value === "string") return paddedWithItself(x, padding, value);
  checkNumbers("pad", { value });
  return everyPadded(
    "pad",
    x,
    x.shape.map(() => 1),
    padding,
    value,
  );
}
