import type { Shape } from "../core/shape.ts";
import { kindOf, ShapeError } from "../errors.ts";

/**
 * Axis `axis` of `x`, counted from the last if negative: -1 is the last.
 *
 * @throws ShapeError if there is none.
 */
export function axisOf(op: string, x: Shape, axis: number): number {
  const found = axis < 0 ? axis + x.length : axis;
  if (Number.isInteger(axis) && found >= 0 && found < x.length) return found;
  const choice = x.length === 0 ? "x has no axes" : `x has axes 0 to ${x.length - 1}, or -${x.length} to -1`;
  throw new ShapeError(`${op}: there is no axis ${axis}: ${choice}. x is [${x}].`);
}

/**
 * Place of a new axis in the result, counted from its last if negative.
 *
 * @throws ShapeError if the result has no such axis.
 */
export function newAxisOf(op: string, x: Shape, axis: number): number {
  const found = axis < 0 ? axis + x.length + 1 : axis;
  if (Number.isInteger(axis) && found >= 0 && found <= x.length) return found;
  throw new ShapeError(
    `${op}: there is no place ${axis} for a new axis: there are 0 to ${x.length}, or -${x.length + 1} to -1. x is [${x}].`,
  );
}

/**
 * Axes in ascending order; all of them if none are given.
 *
 * @throws ShapeError if there is no such axis, or one is named twice; TypeError if they are something else.
 */
export function axesOf(op: string, x: Shape, axes: number | readonly number[] | undefined): number[] {
  if (axes === undefined) return x.map((_, axis) => axis);
  if (typeof axes !== "number" && !Array.isArray(axes)) {
    throw new TypeError(`${op}: axes are a number or an array of numbers, not ${kindOf(axes)}. x is [${x}].`);
  }
  const found = (typeof axes === "number" ? [axes] : axes)
    .map((axis) => axisOf(op, x, axis))
    .sort((a, b) => a - b);
  const twice = found.find((axis, i) => axis === found[i - 1]);
  if (twice !== undefined)
    throw new ShapeError(`${op}: axis ${twice} is given twice, in [${axes}]. x is [${x}].`);
  return found;
}

/** A shape without some axes, or with 1 in their places. */
export const without = (shape: Shape, axes: readonly number[], keepdims: boolean): number[] =>
  keepdims
    ? shape.map((side, axis) => (axes.includes(axis) ? 1 : side))
    : shape.filter((_, axis) => !axes.includes(axis));

/** The sides before, at and after a run of axes, multiplied. */
export function around(
  shape: Shape,
  first: number,
  last = first,
): [outer: number, middle: number, inner: number] {
  const product = (sides: Shape) => sides.reduce((size, side) => size * side, 1);
  return [
    product(shape.slice(0, first)),
    product(shape.slice(first, last + 1)),
    product(shape.slice(last + 1)),
  ];
}
