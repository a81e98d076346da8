import { differentiable } from "../core/autograd.ts";
import { elementwise } from "../core/map.ts";
import { scope } from "../core/scope.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkNumbers, checkOptions, ShapeError } from "../errors.ts";
import { abs } from "./arithmetic.ts";
import { axesOf, without } from "./axes.ts";
import { cast } from "./cast.ts";
import { notEqual } from "./comparison.ts";
import { fitted, unary } from "./elementwise.ts";
import { compare, orNan } from "./nan.ts";
import { type Axes, extreme, type ReduceOptions, reduced, SUM, sum, typeOfMean } from "./reduce.ts";
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
  axesOf("std", x.shape, axes);
  checkOptions("std", options, ["keepdims", "unbiased"]);
  return scope(() => cast(root(variance(cast(x, "f32"), axes, options)), typeOfMean(x)));
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
 * Length of the vectors along axes, all of them if none are given; PyTorch's `linalg.vector_norm`. The gradient of an element that is 0 is 0, a whole
 * vector of zeros included.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes, or p is NaN.
 */
export function norm(x: Tensor, axes?: Axes, options: NormOptions = {}): Tensor {
  checkTensors("norm", { x });
  checkOptions("norm", options, ["p", "keepdims"]);
  const { p = 2, keepdims = false } = options;
  checkNumbers("norm", { p });
  if (Number.isNaN(p)) throw new ShapeError(`norm: p is NaN. x is [${x.shape}].`);
  const over = axesOf("norm", x.shape, axes);
  return scope(() => {
    if (p === Infinity) return extreme("norm", "max", abs(x), over, keepdims);
    if (p === -Infinity) return extreme("norm", "min", abs(x), over, keepdims);
    if (p === 0) return cast(sum(notEqual(x, 0), over, { keepdims }), typeOfMean(x));
    if (p === 1) return sum(abs(x), over, { keepdims });
    return p === 2 ? euclidean(x, over, keepdims) : ofPowers(x, over, p, keepdims);
  });
}

function euclidean(x: Tensor, axes: readonly number[], keepdims: boolean): Tensor {
  const kept = without(x.shape, axes, true);
  const squares = reduced(x, axes, kept, { ...SUM, term: "x * x" }, "f32");
  const length = elementwise((s) => orNan(`sqrt(${s})`, s), [squares], { dtype: typeOfMean(x) });
  // dx = dy · x / y, and 0 where y is
  return recorded(x, length, axes, keepdims, (dy, y) =>
    elementwise(
      (dy, x, y) => `select(${dy} * ${x} / ${y}, Vec(0), ${compare(y, "==", "Vec(0)")})`,
      [dy, x, y],
      { compute: "f32" },
    ),
  );
}

/** Norm for any p that is finite and not 0. */
function ofPowers(x: Tensor, axes: readonly number[], p: number, keepdims: boolean): Tensor {
  const kept = without(x.shape, axes, true);
  const float = { compute: "f32", dtype: "f32" } as const;
  const powers = elementwise((x, p) => `power(abs(${x}), ${p})`, [x, p], float);
  const total = reduced(powers, axes, kept, SUM, "f32");
  const root = elementwise((s, p) => `power(${s}, ${p})`, [total, 1 / p], { ...float, dtype: typeOfMean(x) });
  // dx = dy · sign(x) · (|x| / y)^(p − 1), and 0 where x is, as PyTorch has it
  return recorded(x, root, axes, keepdims, (dy, y) =>
    elementwise(
      (dy, x, y, less) =>
        `select(${dy} * sign(${x}) * power(abs(${x}) / ${y}, ${less}), Vec(0), ${compare(x, "==", "Vec(0)")})`,
      [dy, x, y, p - 1],
      { compute: "f32" },
    ),
  );
}

/** The norm in its shape, with its gradient as a function of dy and y, which have 1 element along the reduced axes. */
function recorded(
  x: Tensor,
  norm: Tensor,
  axes: readonly number[],
  keepdims: boolean,
  gradient: (dy: Tensor, y: Tensor) => Tensor,
): Tensor {
  const y = norm.view(without(x.shape, axes, keepdims));
  return differentiable("norm", y, [x], (dy) => [
    () => {
      const [slope, result] = [dy, y].map((of) => of.view(norm.shape)) as [Tensor, Tensor];
      const dx = gradient(slope, result);
      for (const tensor of [slope, result]) tensor.dispose();
      return fitted(dx, x, dy);
    },
  ]);
}
