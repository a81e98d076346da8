import { differentiable } from "../core/autograd.ts";
import { isInteger } from "../core/dtype.ts";
import { elementwise } from "../core/map.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkOptions } from "../errors.ts";
import { axesOf, without } from "./axes.ts";
import { fitted } from "./elementwise.ts";
import { compare } from "./nan.ts";
import { type Axes, type ReduceOptions, reduced, SUM } from "./reduce.ts";

const PRODUCT = { combine: "a * b", initial: 1, scale: 1 };

/**
 * Product over axes, all of them if none are given; 1 where there is nothing to multiply.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes.
 */
export function prod(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkTensors("prod", { x });
  checkOptions("prod", options, ["keepdims"]);
  const over = axesOf("prod", x.shape, axes);
  const kept = without(x.shape, over, true);
  const combination = { ...PRODUCT, ...(isInteger(x.dtype) && { neutral: "Vec(1)" }) };
  const y = reduced(x, over, without(x.shape, over, options.keepdims ?? false), combination, x.dtype);
  return differentiable("prod", y, [x], (dy) => [() => prodGrad(x, dy, over, kept)]);
}

/** dy times the product of the others: of those that are not 0, unless two or more are. */
function prodGrad(x: Tensor, dy: Tensor, axes: readonly number[], kept: readonly number[]): Tensor {
  const isZero = (x?: string) => compare(x, "==", "Vec(0)");
  const float = { compute: "f32", dtype: "f32" } as const;
  const marks = elementwise((x) => `select(Vec(0), Vec(1), ${isZero(x)})`, [x], float);
  const zeros = reduced(marks, axes, kept, SUM, "f32");
  const others = elementwise((x) => `select(${x}, Vec(1), ${isZero(x)})`, [x], float);
  const product = reduced(others, axes, kept, PRODUCT, "f32");
  // The zeros among the others are all zeros less this one.
  const share = elementwise(
    (product, zeros, mark) => `select(Vec(0), ${product}, ${zeros} - ${mark} == Vec(0))`, // no NaN: counts
    [product, zeros, marks],
    float,
  );
  const slope = dy.view(kept);
  const dx = elementwise(
    (dy, share, others) => `${dy} * (${share} / ${others})`,
    [slope, share, others],
    float,
  );
  for (const tensor of [marks, zeros, others, product, share, slope]) tensor.dispose();
  return fitted(dx, x, dy);
}
