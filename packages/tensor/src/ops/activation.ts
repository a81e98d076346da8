import { elementwise } from "../core/map.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkNumbers, ShapeError } from "../errors.ts";
import { unary } from "./elementwise.ts";
import { compare, isNan, orNan } from "./nan.ts";

/** max(x, 0), with slope 0 at 0. x `[…]` → `[…]` */
export function relu(x: Tensor): Tensor {
  return unary(
    "relu",
    x,
    (x) => orNan(`max(${x}, Vec(0))`, x),
    (dy, y) => elementwise((dy, y) => `select(Vec(0), ${dy}, (${y} > Vec(0)) | ${isNan(y)})`, [dy, y]),
  );
}

/** x where it is positive, else x · slope. x `[…]` → `[…]` */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  return unary(
    "leakyRelu",
    x,
    (x, slope) => `select(${x} * ${slope}, ${x}, ${compare(x, ">", "Vec(0)")})`,
    (dy) =>
      elementwise(
        (dy, x, slope) => `select(${dy} * ${slope}, ${dy}, ${compare(x, ">", "Vec(0)")})`,
        [dy, x, slope],
      ),
    { numbers: { slope }, compute: "f32" },
  );
}

// Written with e^−|x|, which cannot overflow.
const logistic = (x?: string) =>
  orNan(`select(exp(-abs(${x})), Vec(1), ${x} >= Vec(0)) / (1 + exp(-abs(${x})))`, x);

/** 1 / (1 + e^−x). x `[…]` → `[…]` */
export function sigmoid(x: Tensor): Tensor {
  return unary(
    "sigmoid",
    x,
    logistic,
    (dy, y) => elementwise((dy, y) => `${dy} * ${y} * (1 - ${y})`, [dy, y]),
    {
      compute: "f32",
    },
  );
}

/** Hyperbolic tangent. x `[…]` → `[…]` */
export function tanh(x: Tensor): Tensor {
  // Near 0 its series, since 1 − e^−2|x| has few digits left there.
  const series = (x?: string) =>
    `${x} * (1 - ${x} * ${x} * (1.0 / 3 - ${x} * ${x} * (2.0 / 15 - ${x} * ${x} * (17.0 / 315))))`;
  const quotient = (x?: string) => `sign(${x}) * (1 - exp(-2 * abs(${x}))) / (1 + exp(-2 * abs(${x})))`;
  return unary(
    "tanh",
    x,
    (x) => orNan(`select(${quotient(x)}, ${series(x)}, abs(${x}) < Vec(0.1))`, x),
    (dy, y) => elementwise((dy, y) => `${dy} * (1 - ${y} * ${y})`, [dy, y]),
    { compute: "f32" },
  );
}

/** x · sigmoid(x), also called swish. x `[…]` → `[…]` */
export function silu(x: Tensor): Tensor {
  return unary(
    "silu",
    x,
    (x) => `${x} * ${logistic(x)}`,
    // With s = sigmoid(x): s · (1 + x · (1 − s))
    (dy) => elementwise((dy, x) => `${dy} * ${logistic(x)} * (1 + ${x} * (1 - ${logistic(x)}))`, [dy, x]),
    { compute: "f32" },
  );
}

/**
 * Φ(x) = ½ · (1 + erf(x / √2)), off by less than 1e-7 (Abramowitz & Stegun 1964, 7.1.26). Its smaller side is computed,
 * and taken from 1 above 0: far below 0 digits are kept.
 */
const normalBelow = (x?: string) => {
  const t = `(1 / (1 + 0.2316418882 * abs(${x})))`;
  const series = ERF.reduceRight((rest, factor) => `${t} * (${factor}${rest && ` + ${rest}`})`, "");
  return `abs(select(Vec(0), Vec(1), ${x} >= Vec(0)) - ${series} * exp(-0.5 * ${x} * ${x}))`; // no NaN: x multiplies it
};

const ERF = ["0.127414796", "-0.142248368", "0.7107068705", "-0.7265760135", "0.5307027145"];

/**
 * x · Φ(x), where Φ is the normal distribution's; PyTorch's `gelu` with `approximate="none"`. Hendrycks & Gimpel, "Gaussian
 * error linear units", 2016. x `[…]` → `[…]`
 */
export function gelu(x: Tensor): Tensor {
  return unary(
    "gelu",
    x,
    (x) => `${x} * ${normalBelow(x)}`,
    // Φ(x) + x · φ(x)
    (dy) =>
      elementwise(
        (dy, x) => `${dy} * (${normalBelow(x)} + 0.3989422804 * ${x} * exp(-0.5 * ${x} * ${x}))`,
        [dy, x],
      ),
    { compute: "f32" },
  );
}

/**
 * x, but at least `min` and at most `max`, with slope 1 at both.
 *
 * x `[…]` → `[…]`
 *
 * @throws ShapeError if min is more than max.
 */
export function clamp(x: Tensor, min: number, max: number): Tensor {
  checkNumbers("clamp", { min, max });
  if (!(min <= max)) throw new ShapeError(`clamp: min is ${min} but max is ${max}. x is [${x.shape}].`);
  return unary(
    "clamp",
    x,
    (x, low, high) => orNan(`clamp(${x}, ${low}, ${high})`, x),
    (dy) =>
      elementwise(
        (dy, x, low, high) => `select(Vec(0), ${dy}, ${compare(x, ">=", low)} & ${compare(x, "<=", high)})`,
        [dy, x, min, max],
      ),
    { numbers: { min, max } },
  );
}
