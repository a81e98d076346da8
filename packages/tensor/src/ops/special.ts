import { elementwise, type Operand } from "../core/map.ts";
import type { Tensor } from "../core/tensor.ts";
import { binary, unary } from "./elementwise.ts";
import { isNan, orNan } from "./nan.ts";

/** Tangent of an angle in radians. x `[…]` → `[…]` */
export function tan(x: Tensor): Tensor {
  // The slope is 1 + tan².
  const slope = (dy: Tensor, y: Tensor) => elementwise((dy, y) => `${dy} * (1 + ${y} * ${y})`, [dy, y]);
  return unary("tan", x, (x) => orNan(`sin(${x}) / cos(${x})`, x), slope, { compute: "f32" });
}

/**
 * Angle of the point (x, y) in radians, from −π to π, with NumPy's broadcasting; 0 at the origin.
 *
 * y `[…]` · x `[…]`, or a number for one of them → the shape that both broadcast to.
 *
 * @throws ShapeError if the shapes do not agree.
 */
export function atan2(y: Operand, x: Operand): Tensor {
  // dy · x / (x² + y²) and −dy · y / (x² + y²)
  const gradients = (dz: Tensor) =>
    [
      () => elementwise((dz, y, x) => `${dz} * ${x} / (${x} * ${x} + ${y} * ${y})`, [dz, y, x]),
      () => elementwise((dz, y, x) => `-${dz} * ${y} / (${x} * ${x} + ${y} * ${y})`, [dz, y, x]),
    ] as const;
  const angle = (y?: string, x?: string) =>
    `select(atan2(${y}, ${x}), ${y} + ${x}, (${isNan(y)}) | (${isNan(x)}) | ((abs(${y}) + abs(${x})) == Vec(0)))`;
  return binary("atan2", y, x, (y, x) => angle(y, x), gradients, { compute: "f32" });
}

/** 2 / √π · Σ (−1)ⁿ x²ⁿ⁺¹ / (n! · (2n + 1)), the factors from the last. */
const SERIES = (x?: string) => {
  const factors = Array.from({ length: 11 }, (_, n) => {
    const factorial = Array.from({ length: n }, (_, i) => i + 1).reduce((a, b) => a * b, 1);
    return (((-1) ** n / factorial / (2 * n + 1)) * 2) / Math.sqrt(Math.PI);
  });
  return `${x} * ${factors.reduceRight((rest, f) => (rest ? `(${f} + ${x} * ${x} * ${rest})` : `(${f})`), "")}`;
};

/** Values of erf for |x| beyond 1, off by less than 1.5e-7 (Abramowitz & Stegun 1964, 7.1.26). */
const TAIL = (x?: string) => {
  const t = `(1 / (1 + 0.3275911 * abs(${x})))`;
  const factors = ["0.254829592", "-0.284496736", "1.421413741", "-1.453152027", "1.061405429"];
  const sum = factors.reduceRight((rest, f) => `${t} * (${f}${rest && ` + ${rest}`})`, "");
  return `sign(${x}) * (1 - ${sum} * exp(-${x} * ${x}))`;
};

/** 2 / √π · ∫ e^−t² dt from 0 to x, to 2e-7. x `[…]` → `[…]` */
export function erf(x: Tensor): Tensor {
  const slope = (dy: Tensor) =>
    elementwise((dy, x) => `${dy} * 1.1283791671 * exp(-${x} * ${x})`, [dy, x], { compute: "f32" });
  const f = (x?: string) => orNan(`select(${TAIL(x)}, ${SERIES(x)}, abs(${x}) < Vec(1))`, x);
  return unary("erf", x, f, slope, { compute: "f32" });
}
