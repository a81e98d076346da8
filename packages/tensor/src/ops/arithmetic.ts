import { elementwise, type Operand } from "../core/map.ts";
import type { Tensor } from "../core/tensor.ts";
import { binary, unary } from "./elementwise.ts";
import { compare, extreme as extremeOf } from "./nan.ts";

/**
 * a + b, with NumPy's broadcasting.
 *
 * a `[…]` · b `[…]`, or a number for one of them → the shape that both broadcast to.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export function add(a: Operand, b: Operand): Tensor {
  return binary(
    "add",
    a,
    b,
    (a, b) => `${a} + ${b}`,
    (dy) => [() => dy, () => dy],
  );
}

/**
 * a − b, with NumPy's broadcasting.
 *
 * a `[…]` · b `[…]`, or a number for one of them → the shape that both broadcast to.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export function sub(a: Operand, b: Operand): Tensor {
  return binary(
    "sub",
    a,
    b,
    (a, b) => `${a} - ${b}`,
    (dy) => [() => dy, () => elementwise((dy) => `-${dy}`, [dy])],
  );
}

/**
 * a · b element by element, with NumPy's broadcasting.
 *
 * a `[…]` · b `[…]`, or a number for one of them → the shape that both broadcast to.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export function mul(a: Operand, b: Operand): Tensor {
  const product = (a?: string, b?: string) => `${a} * ${b}`;
  return binary("mul", a, b, product, (dy) => [
    () => elementwise(product, [dy, b]),
    () => elementwise(product, [dy, a]),
  ]);
}

/**
 * a / b, with NumPy's broadcasting; a fraction for whole numbers too.
 *
 * a `[…]` · b `[…]`, or a number for one of them → the shape that both broadcast to.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export function div(a: Operand, b: Operand): Tensor {
  const quotient = (a?: string, b?: string) => `${a} / ${b}`;
  // d(a / b) / db = −a / b², without b², which may be beyond float32
  const gradients = (dy: Tensor) =>
    [
      () => elementwise(quotient, [dy, b]),
      () => elementwise((dy, a, b) => `-${dy} * (${a} / ${b}) / ${b}`, [dy, a, b]),
    ] as const;
  return binary("div", a, b, quotient, gradients, { compute: "f32" });
}

/**
 * a to the power of b, with NumPy's broadcasting; NaN where a is negative and b not whole. Whole exponents up to 64
 * multiply: 10² is 100.
 *
 * a `[…]` · b `[…]`, or a number for one of them → the shape that both broadcast to.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export function pow(a: Operand, b: Operand): Tensor {
  const power = (a?: string, b?: string) => `power(${a}, ${b})`;
  const gradients = (dy: Tensor, y: Tensor) =>
    [
      // b · a^(b − 1), and 0 where b is, whatever a
      () =>
        elementwise(
          (dy, a, b) =>
            `select(${dy} * ${b} * ${power(a, `${b} - 1`)}, Vec(0), ${compare(b, "==", "Vec(0)")})`,
          [dy, a, b],
        ),
      // a^b · ln a, and 0 where a is
      () =>
        elementwise(
          (dy, y, a) => `select(${dy} * ${y} * log(${a}), Vec(0), ${compare(a, "==", "Vec(0)")})`,
          [dy, y, a],
        ),
    ] as const;
  return binary("pow", a, b, power, gradients, { compute: "f32" });
}

/**
 * The larger of a and b, with NumPy's broadcasting; NaN if either is. Equals share the gradient.
 *
 * a `[…]` · b `[…]`, or a number for one of them → the shape that both broadcast to.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export function maximum(a: Operand, b: Operand): Tensor {
  return extreme("maximum", a, b);
}

/**
 * The smaller of a and b, with NumPy's broadcasting; NaN if either is. Equals share the gradient.
 *
 * a `[…]` · b `[…]`, or a number for one of them → the shape that both broadcast to.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export function minimum(a: Operand, b: Operand): Tensor {
  return extreme("minimum", a, b);
}

function extreme(op: "maximum" | "minimum", a: Operand, b: Operand): Tensor {
  const [f, loses] = op === "maximum" ? (["max", "<"] as const) : (["min", ">"] as const);
  // Next to a NaN neither loses, and each gets the whole gradient, as in PyTorch.
  const share = (dy?: string, mine?: string, other?: string) =>
    `select(select(${dy}, Vec(0), ${compare(mine, loses, other)}), 0.5 * ${dy}, ${compare(mine, "==", other)})`;
  return binary(
    op,
    a,
    b,
    (a, b) => extremeOf(f, a, b),
    (dy) => [() => elementwise(share, [dy, a, b]), () => elementwise(share, [dy, b, a])],
  );
}

/** −x. x `[…]` → `[…]` */
export function neg(x: Tensor): Tensor {
  const f = (x?: string) => `Vec(0) - ${x}`;
  return unary("neg", x, f, (dy) => elementwise(f, [dy]));
}

const signOf = (x?: string): string =>
  `select(Vec(0), Vec(1), ${compare(x, ">", "Vec(0)")}) - select(Vec(0), Vec(1), ${compare(x, "<", "Vec(0)")})`;

/** |x|, with slope 0 at 0. x `[…]` → `[…]` */
export function abs(x: Tensor): Tensor {
  return unary(
    "abs",
    x,
    (x) => `abs(${x})`,
    (dy) => elementwise((dy, x) => `${dy} * (${signOf(x)})`, [dy, x]),
  );
}

/** x². x `[…]` → `[…]` */
export function square(x: Tensor): Tensor {
  return unary(
    "square",
    x,
    (x) => `${x} * ${x}`,
    (dy) => elementwise((dy, x) => `2 * ${dy} * ${x}`, [dy, x]),
  );
}

/** −1, 0 or 1 as x is negative, 0 or positive, and 0 for NaN, as in PyTorch; without gradient. x `[…]` → `[…]` */
export function sign(x: Tensor): Tensor {
  return unary("sign", x, signOf);
}
