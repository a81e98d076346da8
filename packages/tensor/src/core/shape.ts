import { kindOf, ShapeError } from "../errors.ts";

export type Shape = readonly number[];

/** Product of the sides: how many elements a shape has. */
export const sizeOf = (shape: Shape): number => shape.reduce((size, side) => size * side, 1);

/** True if two shapes are the same. */
export const isSame = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((side, i) => side === b[i]);

/** @throws ShapeError unless every side is a whole number ≥ 0; TypeError if it is no array. */
export function checkShape(op: string, shape: Shape): Shape {
  if (!Array.isArray(shape)) {
    throw new TypeError(`${op}: a shape is an array such as [2, 3], not ${kindOf(shape)}.`);
  }
  for (const side of shape) {
    if (!Number.isInteger(side) || side < 0) {
      throw new ShapeError(`${op}: a side of ${side} is not a whole number ≥ 0. The shape is [${shape}].`);
    }
  }
  return [...shape];
}

/** The shape that shapes broadcast to: aligned at their last axes, a side of 1 gives way. */
export function broadcastShape(shapes: readonly Shape[]): Shape {
  const [first, ...others] = shapes as [Shape, ...Shape[]];
  if (others.every((shape) => isSame(shape, first))) return first;
  const depth = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: depth }, (_, axis) => {
    const sides = shapes.map((shape) => shape[axis + shape.length - depth] ?? 1);
    return sides.find((side) => side !== 1) ?? 1;
  });
}

/** Elements between neighbours of `x` along the axes of `y`, 0 along those that it repeats. */
export function strides(x: Shape, y: Shape = x): number[] {
  return y.map((_, axis) => {
    const own = axis + x.length - y.length;
    return own < 0 || (x[own] === 1 && y[axis] !== 1) ? 0 : sizeOf(x.slice(own + 1));
  });
}
