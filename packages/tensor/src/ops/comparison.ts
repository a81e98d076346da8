import { differentiable } from "../core/autograd.ts";
import { zerosLike } from "../core/create.ts";
import { isInteger } from "../core/dtype.ts";
import { type Expression, elementwise, type Operand } from "../core/map.ts";
import { Tensor } from "../core/tensor.ts";
import { binary, checkBroadcast, fitted } from "./elementwise.ts";
import { type Comparison, compare, differ } from "./nan.ts";

/**
 * 1 where a = b and 0 elsewhere, as f32, with NumPy's broadcasting.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export const equal = (a: Operand, b: Operand): Tensor => compared("equal", a, b, "==");

/**
 * 1 where a ≠ b, or either is NaN, and 0 elsewhere, as f32, with NumPy's broadcasting.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export const notEqual = (a: Operand, b: Operand): Tensor => chosen("notEqual", a, b, differ);

/**
 * 1 where a > b and 0 elsewhere, as f32, with NumPy's broadcasting.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export const greater = (a: Operand, b: Operand): Tensor => compared("greater", a, b, ">");

/**
 * 1 where a ≥ b and 0 elsewhere, as f32, with NumPy's broadcasting.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export const greaterEqual = (a: Operand, b: Operand): Tensor => compared("greaterEqual", a, b, ">=");

/**
 * 1 where a < b and 0 elsewhere, as f32, with NumPy's broadcasting.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export const less = (a: Operand, b: Operand): Tensor => compared("less", a, b, "<");

/**
 * 1 where a ≤ b and 0 elsewhere, as f32, with NumPy's broadcasting.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export const lessEqual = (a: Operand, b: Operand): Tensor => compared("lessEqual", a, b, "<=");

const compared = (op: string, a: Operand, b: Operand, comparison: Comparison): Tensor =>
  chosen(op, a, b, (a, b) => compare(a, comparison, b));

/** 1 where a condition holds, and 0 elsewhere. */
function chosen(op: string, a: Operand, b: Operand, condition: Expression): Tensor {
  return binary(op, a, b, (a, b) => `select(Vec(0), Vec(1), ${condition(a!, b!)})`, undefined, {
    dtype: "f32",
  });
}

/** True for NaN, too: PyTorch's. */
const isNonzero = (x?: string): string => differ(x, "Vec(0)");

/**
 * a where `condition` is not 0 (NaN is not), else b, with NumPy's broadcasting.
 *
 * condition `[…]` · a `[…]` · b `[…]`, or numbers for a and b → the shape that all broadcast to.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  checkBroadcast("where", { condition, a, b });
  const values = [a, b].filter((value) => value instanceof Tensor);
  // A fraction would lose itself among whole numbers: 0.5 is not 0.
  const whole = values.length > 0 && values.every(({ dtype }) => isInteger(dtype));
  const nonzero = (x?: string) => `select(Vec(0), Vec(1), ${isNonzero(x)})`;
  const mask =
    whole && !isInteger(condition.dtype) ? elementwise(nonzero, [condition], { dtype: "i32" }) : condition;
  const half = values.length > 0 && values.every(({ dtype }) => dtype === "f16");
  const y = elementwise(
    (condition, a, b) => `select(${b}, ${a}, ${isNonzero(condition)})`,
    [mask, a, b],
    whole ? {} : { compute: "f32", dtype: half ? "f16" : "f32" },
  );
  if (mask !== condition) mask.dispose();
  // The condition is an input so that it lives until the gradients have been computed; its own is 0.
  const inputs = [condition, a, b].filter((value) => value instanceof Tensor);
  return differentiable("where", y, inputs, (dy) => {
    const through = (f: Expression, x: Operand) =>
      x instanceof Tensor
        ? [() => fitted(elementwise(f, [condition, dy], { compute: "f32", dtype: dy.dtype }), x, dy)]
        : [];
    return [
      () => zerosLike(condition),
      ...through((condition, dy) => `select(Vec(0), ${dy}, ${isNonzero(condition)})`, a),
      ...through((condition, dy) => `select(${dy}, Vec(0), ${isNonzero(condition)})`, b),
    ];
  });
}
