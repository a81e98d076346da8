import { sizeOf } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { mul, square, sub } from "./arithmetic.ts";
import { axesOf } from "./axes.ts";
import { type Axes, mean, type ReduceOptions, sum } from "./reduce.ts";

export interface VarianceOptions extends ReduceOptions {
  /** Whether to divide by one less than the number of elements, as for a sample; true unless given. */
  unbiased?: boolean | undefined;
}

/**
 * Mean squared distance from the mean over axes, all of them if none are given.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes.
 */
export function variance(
  x: Tensor,
  axes?: Axes,
  { keepdims = false, unbiased = true }: VarianceOptions = {},
): Tensor {
  const count = sizeOf(axesOf("variance", x.shape, axes).map((axis) => x.shape[axis]!));
  const centered = sub(x, mean(x, axes, { keepdims: true }));
  return mul(sum(square(centered), axes, { keepdims }), 1 / (count - (unbiased ? 1 : 0)));
}
