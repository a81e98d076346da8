import { type Expression, elementwise } from "../core/map.ts";
import type { Tensor } from "../core/tensor.ts";
import { unary } from "./elementwise.ts";
import { orNan } from "./nan.ts";

/** e to the power of x. x `[…]` → `[…]` */
export function exp(x: Tensor): Tensor {
  return fractional(
    "exp",
    x,
    (x) => `exp(${x})`,
    (dy, y) => elementwise((dy, y) => `${dy} * ${y}`, [dy, y]),
  );
}

/** Natural logarithm. x `[…]` → `[…]` */
export function log(x: Tensor): Tensor {
  return fractional(
    "log",
    x,
    (x) => `log(${x})`,
    (dy) => elementwise((dy, x) => `${dy} / ${x}`, [dy, x]),
  );
}

/** Square root. x `[…]` → `[…]` */
export function sqrt(x: Tensor): Tensor {
  return fractional(
    "sqrt",
    x,
    (x) => `sqrt(${x})`,
    (dy, y) => elementwise((dy, y) => `0.5 * ${dy} / ${y}`, [dy, y]),
  );
}

/** 1 / √x. x `[…]` → `[…]` */
export function rsqrt(x: Tensor): Tensor {
  return fractional(
    "rsqrt",
    x,
    (x) => `inverseSqrt(${x})`,
    (dy, y) => elementwise((dy, y) => `-0.5 * ${dy} * ${y} * ${y} * ${y}`, [dy, y]),
  );
}

/** Sine of an angle in radians. x `[…]` → `[…]` */
export function sin(x: Tensor): Tensor {
  return fractional(
    "sin",
    x,
    (x) => `sin(${x})`,
    (dy) => elementwise((dy, x) => `${dy} * cos(${x})`, [dy, x]),
  );
}

/** Cosine of an angle in radians. x `[…]` → `[…]` */
export function cos(x: Tensor): Tensor {
  return fractional(
    "cos",
    x,
    (x) => `cos(${x})`,
    (dy) => elementwise((dy, x) => `-${dy} * sin(${x})`, [dy, x]),
  );
}

/** The largest whole number ≤ x; without gradient. x `[…]` → `[…]` */
export function floor(x: Tensor): Tensor {
  return fractional("floor", x, (x) => `floor(${x})`);
}

/** The smallest whole number ≥ x; without gradient. x `[…]` → `[…]` */
export function ceil(x: Tensor): Tensor {
  return fractional("ceil", x, (x) => `ceil(${x})`);
}

/** The nearest whole number, of two the even one; without gradient. x `[…]` → `[…]` */
export function round(x: Tensor): Tensor {
  return fractional("round", x, (x) => `round(${x})`);
}

/** An op whose results are fractions, of whole numbers too. */
function fractional(
  op: string,
  x: Tensor,
  f: Expression,
  gradient?: (dy: Tensor, y: Tensor) => Tensor,
): Tensor {
  return unary(op, x, (x) => orNan(f(x!), x), gradient, { compute: "f32" });
}
