import { differentiable, noGrad } from "../core/autograd.ts";
import { elementwise } from "../core/map.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkOptions } from "../errors.ts";
import { axesOf, without } from "./axes.ts";
import { fitted } from "./elementwise.ts";
import { isNan } from "./nan.ts";
import { type Axes, extreme, type ReduceOptions, reduced, SUM } from "./reduce.ts";

/**
 * ln Σ e^x over axes, all of them if none are given; large numbers do not overflow. Infinite where an element is.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes, or has no elements along them.
 */
export function logSumExp(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkTensors("logSumExp", { x });
  checkOptions("logSumExp", options, ["keepdims"]);
  const over = axesOf("logSumExp", x.shape, axes);
  const kept = without(x.shape, over, true);
  const most = noGrad(() => extreme("logSumExp", "max", x, over, true));
  // An infinite maximum is the result; it is taken as 0 before that, as ∞ − ∞ is NaN.
  const isInfinite = (most?: string) => `(magnitude(${most}) == Bits(0x7f800000u))`;
  const finite = (most?: string) => `select(${most}, Vec(0), ${isInfinite(most)})`;
  const powers = elementwise((x, most) => `exp(${x} - ${finite(most)})`, [x, most], {
    compute: "f32",
    dtype: "f32",
  });
  const total = reduced(powers, over, kept, SUM, "f32");
  const whole = elementwise(
    (total, most) => `select(log(${total}) + ${finite(most)}, ${most}, ${isNan(most)} | ${isInfinite(most)})`,
    [total, most],
    { compute: "f32", dtype: x.dtype === "f16" ? "f16" : "f32" },
  );
  for (const tensor of [powers, total, most]) tensor.dispose();
  const y = whole.view(without(x.shape, over, options.keepdims ?? false));
  whole.dispose();
  // dx = dy · e^(x − y)
  return differentiable("logSumExp", y, [x], (dy) => [
    () => {
      const [slope, result] = [dy.view(kept), y.view(kept)];
      const dx = elementwise((dy, x, y) => `${dy} * exp(${x} - ${y})`, [slope, x, result], {
        compute: "f32",
      });
      for (const tensor of [slope, result]) tensor.dispose();
      return fitted(dx, x, dy);
    },
  ]);
}
