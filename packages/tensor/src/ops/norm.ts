import { differentiable } from "../core/autograd.ts";
import { elementwise } from "../core/map.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { abs, pow } from "./arithmetic.ts";
import { axesOf, without } from "./axes.ts";
import { cast } from "./cast.ts";
import { notEqual } from "./comparison.ts";
import { fitted, unary } from "./elementwise.ts";
import { compare, orNan } from "./nan.ts";
import { type Axes, max, min, type ReduceOptions, reduced, SUM, sum, typeOfMean } from "./reduce.ts";
import { type VarianceOptions, variance } from "./variance.ts";

/**
 * Standard deviation over axes, all of them if none are given: the square root of `variance`, with its options. Computed in
 * f32. The gradient of equal elements is 0, as PyTorch has it.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes.
 */
export function std(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  checkTensors("std", { x });
  const y = root(variance(cast(x, "f32"), axes, options));
  return cast(y, typeOfMean(x));
}

/** √v, and a slope of 0 where v is 0. */
const root = (v: Tensor): Tensor =>
  unary(
    "std",
    v,
    (v) => orNan(`sqrt(${v})`, v),
    (dy, y) =>
      elementwise((dy, y) => `select(0.5 * ${dy} / ${y}, Vec(0), ${compare(y, "==", "Vec(0)")})`, [dy, y]),
  );

export interface NormOptions extends ReduceOptions {
  /** (Σ |x|^p)^(1/p); ∞ and −∞ are the largest and the smallest |x|, 0 counts what is not 0. 2 if absent. */
  p?: number | undefined;
}

/**
 * Length of the vectors along axes, all of them if none are given; PyTorch's `linalg.vector_norm`. For p = 2 the gradient of
 * a vector of zeros is 0.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes, or p is NaN.
 */
export function norm(x: Tensor, axes?: Axes, options: NormOptions = {}): Tensor {
  checkTensors("norm", { x });
  checkOptions("norm", options, ["p", "keepdims"]);
  const { p = 2, keepdims } = options;
  if (Number.isNaN(p)) throw new ShapeError(`norm: p is NaN. x is [${x.shape}].`);
  if (p === Infinity) return max(abs(x), axes, { keepdims });
  if (p === -Infinity) return min(abs(x), axes, { keepdims });
  if (p === 0) return sum(notEqual(x, 0), axes, { keepdims });
  if (p === 1) return sum(abs(x), axes, { keepdims });
  if (p !== 2) return pow(sum(pow(abs(x), p), axes, { keepdims }), 1 / p);
  return euclidean(x, axesOf("norm", x.shape, axes), keepdims);
}

function euclidean(x: Tensor, axes: readonly number[], keepdims = false): Tensor {
  const kept = without(x.shape, axes, true);
  const squares = reduced(x, axes, kept, { ...SUM, term: "x * x" }, "f32");
  const length = elementwise((s) => orNan(`sqrt(${s})`, s), [squares], { dtype: typeOfMean(x) });
  squares.dispose();
  const y = keepdims ? length : length.view(without(x.shape, axes, false));
  // dx = dy · x / y, and 0 where y is
  return differentiable("norm", y, [x], (dy) => [
    () => {
      const [slope, result] = [dy.view(kept), y.view(kept)];
      const dx = elementwise(
        (dy, x, y) => `select(${dy} * ${x} / ${y}, Vec(0), ${compare(y, "==", "Vec(0)")})`,
        [slope, x, result],
        { compute: "f32" },
      );
      for (const tensor of [slope, result]) tensor.dispose();
      return fitted(dx, x, dy);
    },
  ]);
}
