import { elementwise } from "../core/map.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { unary } from "./elementwise.ts";
import { compare, orNan } from "./nan.ts";

/** ln(1 + z) for z from 0 to 1, of which a sum with 1 loses the digits where z is small. */
export const log1p = (z: string): string =>
  `select(log(1 + ${z}), ${z} * (1 - ${z} * (0.5 - ${z} * (1.0 / 3 - 0.25 * ${z}))), ${z} < Vec(0.03))`; // no NaN: orNan around it

export interface SoftplusOptions {
  /** Steepness: ln(1 + e^(beta·x)) / beta. 1 if absent. */
  beta?: number | undefined;
  /** beta·x from which on y is x; 20 if absent. */
  threshold?: number | undefined;
}

/**
 * ln(1 + e^x), a smooth `relu`. x `[…]` → `[…]`
 *
 * @throws ShapeError unless beta is above 0.
 */
export function softplus(x: Tensor, options: SoftplusOptions = {}): Tensor {
  checkOptions("softplus", options, ["beta", "threshold"]);
  const { beta = 1, threshold = 20 } = options;
  if (!(beta > 0)) throw new ShapeError(`softplus: beta is ${beta}, not above 0. x is [${x.shape}].`);
  // Not of infinity, which some drivers give another value than 0.
  const small = (z: string) => `exp(-min(abs(${z}), Vec(104)))`;
  const soft = (z: string, beta?: string) => `(max(${z}, Vec(0)) + ${log1p(small(z))}) / ${beta}`; // no NaN: orNan around it
  return unary(
    "softplus",
    x,
    (x, beta, threshold) => {
      const z = `(${x} * ${beta})`;
      return orNan(`select(${soft(z, beta)}, ${x}, ${compare(z, ">", threshold)})`, x);
    },
    (dy) =>
      elementwise(
        (dy, x, beta, threshold) => {
          const z = `(${x} * ${beta})`;
          const logistic = `select(${small(z)}, Vec(1), ${compare(z, ">=", "Vec(0)")}) / (1 + ${small(z)})`;
          return orNan(`select(${dy} * ${logistic}, ${dy}, ${compare(z, ">", threshold)})`, x);
        },
        [dy, x, beta, threshold],
        { compute: "f32" },
      ),
    { numbers: { beta, threshold }, compute: "f32" },
  );
}

/** e^x − 1, near 0 by its series, where a difference from 1 loses the digits. */
const expm1 = (x?: string): string =>
  `select(exp(${x}) - 1, ${x} * (1 + ${x} * (0.5 + ${x} * (1.0 / 6 + ${x} * (1.0 / 24 + ${x} / 120)))), abs(${x}) < Vec(0.2))`; // no NaN: it comes through both

/**
 * x where it is positive, else alpha · (e^x − 1). Clevert et al., "Fast and accurate deep network learning by exponential
 * linear units", 2016. x `[…]` → `[…]`
 */
export function elu(x: Tensor, alpha = 1): Tensor {
  return unary(
    "elu",
    x,
    (x, alpha) => orNan(`select(${alpha} * (${expm1(x)}), ${x}, ${compare(x, ">", "Vec(0)")})`, x),
    (dy) =>
      elementwise(
        (dy, x, alpha) =>
          orNan(`select(${dy} * ${alpha} * exp(${x}), ${dy}, ${compare(x, ">", "Vec(0)")})`, x),
        [dy, x, alpha],
        { compute: "f32" },
      ),
    { numbers: { alpha }, compute: "f32" },
  );
}
