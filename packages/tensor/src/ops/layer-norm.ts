import { checkDevices } from "../core/run.ts";
import { scope } from "../core/scope.ts";
import { isSame, type Shape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkAmount, checkOptions, ShapeError } from "../errors.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { rsqrt } from "./math.ts";
import { mean } from "./reduce.ts";
import { reshape } from "./shape.ts";
import { variance } from "./variance.ts";

export interface LayerNormOptions {
  /** `[…]`, the shape of the normalized axes: what each element is multiplied by. */
  weight?: Tensor | undefined;
  /** Added to each element. */
  bias?: Tensor | undefined;
  /** Added to the variance; 1e-5 if absent. */
  eps?: number | undefined;
}

const OPTIONS = ["weight", "bias", "eps"];

/** (x − mean) / √(variance + eps) over axes, in f32 whatever x is. */
function normalized(x: Tensor, axes: readonly number[], { eps = 1e-5 }: LayerNormOptions): Tensor {
  const full = cast(x, "f32");
  const spread = variance(full, axes, { unbiased: false, keepdims: true });
  return cast(mul(sub(full, mean(full, axes, { keepdims: true })), rsqrt(add(spread, eps))), x.dtype);
}

function scaled(x: Tensor, { weight, bias }: LayerNormOptions): Tensor {
  const y = weight ? mul(x, weight) : x;
  return bias ? add(y, bias) : y;
}

function checkValues(op: string, x: Tensor, shape: Shape, { weight, bias, eps = 0 }: LayerNormOptions): void {
  checkAmount(op, "eps", eps);
  for (const [name, of] of Object.entries({ weight, bias })) {
    if (of === undefined) continue;
    checkTensors(op, { [name]: of });
    checkDevices(op, { x, [name]: of });
    if (!isSame(of.shape, shape))
      throw new ShapeError(`${op}: ${name} is [${of.shape}], not [${shape}]. x is [${x.shape}].`);
  }
}

/**
 * Each example gets mean 0 and deviation 1 over its last axes, `count` of them. Ba et al., "Layer normalization", 2016.
 *
 * x `[…]` → `[…]`
 *
 * @throws ShapeError if x has fewer axes, or weight or bias have other shapes.
 */
export function layerNorm(x: Tensor, count = 1, options: LayerNormOptions = {}): Tensor {
  checkTensors("layerNorm", { x });
  checkOptions("layerNorm", options, OPTIONS);
  if (!(Number.isInteger(count) && count >= 1 && count <= x.shape.length))
    throw new ShapeError(`layerNorm: there are no last ${count} axes. x is [${x.shape}].`);
  checkValues("layerNorm", x, x.shape.slice(-count), options);
  const axes = Array.from({ length: count }, (_, i) => i - count);
  return scope(() => scaled(normalized(x, axes, options), options));
}

/**
 * Each image gets mean 0 and deviation 1 over the channels of each group. Wu & He, "Group normalization", 2018.
 *
 * x `[N, …, C]`; weight, bias `[C]` → `[N, …, C]`
 *
 * @throws ShapeError if the channels do not divide into the groups, or weight or bias have other shapes.
 */
export function groupNorm(x: Tensor, groups: number, options: LayerNormOptions = {}): Tensor {
  checkTensors("groupNorm", { x });
  checkOptions("groupNorm", options, OPTIONS);
  const C = x.shape.at(-1) ?? 0;
  if (x.shape.length < 2 || !Number.isInteger(groups) || groups < 1 || C % groups !== 0)
    throw new ShapeError(`groupNorm: ${C} channels do not divide into ${groups} groups. x is [${x.shape}].`);
  checkValues("groupNorm", x, [C], options);
  return scope(() => {
    const parts = reshape(x, [...x.shape.slice(0, -1), groups, C / groups]);
    // All axes but the batch and the group.
    const axes = parts.shape.flatMap((_, axis) => (axis === 0 || axis === x.shape.length - 1 ? [] : [axis]));
    return scaled(reshape(normalized(parts, axes, options), x.shape), options);
  });
}
