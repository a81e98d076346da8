import { differentiable } from "../core/autograd.ts";
import { elementwise } from "../core/map.ts";
import { sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkOptions } from "../errors.ts";
import { axesOf, without } from "./axes.ts";
import { fitted } from "./elementwise.ts";
import { type Axes, MEAN, type ReduceOptions, reduced, SUM, typeOfMean } from "./reduce.ts";

export interface VarianceOptions extends ReduceOptions {
  /** Divide by one less than the number of elements, as for a sample; true unless given. */
  unbiased?: boolean | undefined;
}

/**
 * Mean squared distance from the mean over axes, all of them if none are given.
 *
 * The mean is subtracted first, and what its rounding leaves is taken off again: corrected two-pass algorithm, Chan,
 * Golub & LeVeque, 1983.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes.
 */
export function variance(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  checkTensors("variance", { x });
  checkOptions("variance", options, ["keepdims", "unbiased"]);
  const { keepdims = false, unbiased = true } = options;
  const over = axesOf("variance", x.shape, axes);
  const kept = without(x.shape, over, true);
  const count = sizeOf(over.map((axis) => x.shape[axis]!));
  const scale = 1 / (count - (unbiased ? 1 : 0));
  const mean = reduced(x, over, kept, MEAN, "f32");
  const centered = elementwise((x, mean) => `${x} - ${mean}`, [x, mean], { compute: "f32", dtype: "f32" });
  const left = reduced(centered, over, kept, MEAN, "f32");
  const squares = reduced(centered, over, kept, { ...SUM, term: "x * x" }, "f32");
  const y = elementwise(
    (squares, left, count, scale) => `(${squares} - ${count} * ${left} * ${left}) * ${scale}`,
    [squares, left, count, scale],
    { compute: "f32", dtype: typeOfMean(x) },
  );
  for (const tensor of [centered, squares]) tensor.dispose();
  const shaped = keepdims ? y : y.view(without(x.shape, over, false));
  if (shaped !== y) y.dispose();
  // dx = dy · 2 (x − mean) / (n − 1)
  const gradient = (dy: Tensor) => {
    const slope = dy.view(kept);
    const far = elementwise((x, mean) => `${x} - ${mean}`, [x, mean], { compute: "f32", dtype: "f32" });
    const dx = elementwise(
      (dy, far, left, scale) => `${dy} * ${scale} * (${far} - ${left})`,
      [slope, far, left, 2 * scale],
      { compute: "f32", dtype: "f32" },
    );
    for (const tensor of [slope, far]) tensor.dispose();
    return fitted(dx, x, dy);
  };
  return differentiable("variance", shaped, [x], (dy) => [() => gradient(dy)], [mean, left]);
}
