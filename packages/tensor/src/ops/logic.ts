import { elementwise } from "../core/map.ts";
import { scope } from "../core/scope.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkNumbers, checkOptions } from "../errors.ts";
import { notEqual } from "./comparison.ts";
import { checkBroadcast } from "./elementwise.ts";
import { isNan } from "./nan.ts";
import { type Axes, extreme, keepsDims, max, type ReduceOptions } from "./reduce.ts";

/**
 * 1 where every element along axes, all of them if none are given, is not 0, else 0, as f32; without gradient.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes, or has no elements along them.
 */
export const all = (x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor =>
  overMarks("all", "min", x, axes, options);

/**
 * 1 where any element along axes, all of them if none are given, is not 0, else 0, as f32; without gradient.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes, or has no elements along them.
 */
export const any = (x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor =>
  overMarks("any", "max", x, axes, options);

/** The smallest or largest of 1 where x is not 0 and 0 where it is. */
function overMarks(
  op: string,
  most: "max" | "min",
  x: Tensor,
  axes: Axes | undefined,
  options: ReduceOptions = {},
): Tensor {
  checkTensors(op, { x });
  const keepdims = keepsDims(op, options);
  return scope(() => extreme(op, most, notEqual(x, 0), axes, keepdims));
}

/** 1 where x is NaN and 0 elsewhere, as f32; without gradient. x `[…]` → `[…]` */
function markNaN(x: Tensor): Tensor {
  checkTensors("isNaN", { x });
  return elementwise((x) => `select(Vec(0), Vec(1), ${isNan(x)})`, [x], { dtype: "f32", op: "isNaN" });
}

export { markNaN as isNaN };

export interface AllCloseOptions {
  /** 1e-5 if absent. */
  rtol?: number | undefined;
  /** 1e-8 if absent. */
  atol?: number | undefined;
  /** True if NaN is close to NaN; false if absent. */
  equalNaN?: boolean | undefined;
}

/**
 * True if |a − b| ≤ atol + rtol · |b| everywhere, with NumPy's broadcasting. The values are read back, hence the promise.
 *
 * a `[…]` · b `[…]`
 *
 * @throws ShapeError if the shapes do not agree.
 */
export async function allClose(a: Tensor, b: Tensor, options: AllCloseOptions = {}): Promise<boolean> {
  checkBroadcast("allClose", { a, b });
  checkOptions("allClose", options, ["rtol", "atol", "equalNaN"]);
  const { rtol = 1e-5, atol = 1e-8, equalNaN = false } = options;
  checkNumbers("allClose", { rtol, atol });
  const both = (a?: string, b?: string) => `((${isNan(a)}) & (${isNan(b)}))`;
  const either = (a?: string, b?: string) => `((${isNan(a)}) | (${isNan(b)}))`;
  const near = (a?: string, b?: string, atol?: string, rtol?: string) =>
    `((${a} == ${b}) | ((abs(${a} - ${b}) <= ${atol} + ${rtol} * abs(${b})) & (magnitude(${a} - ${b}) < Bits(0x7f800000u))))`; // no NaN: either() is beside it
  const apart = elementwise(
    (a, b, atol, rtol) => {
      const close = `(${near(a, b, atol, rtol)} & !${either(a, b)})`;
      return `select(Vec(1), Vec(0), ${equalNaN ? `${close} | ${both(a, b)}` : close})`;
    },
    [a, b, atol, rtol],
    { compute: "f32", dtype: "f32" },
  );
  if (apart.size === 0) {
    apart.dispose();
    return true;
  }
  const most = max(apart);
  const [found] = await most.data();
  for (const tensor of [apart, most]) tensor.dispose();
  return found === 0;
}
