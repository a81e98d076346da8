import { argsort as kernel } from "@shadegrad/kernels-wgsl/sort";
import { isInteger } from "../core/dtype.ts";
import { run } from "../core/run.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { around, axisOf } from "./axes.ts";
import { gatherElements } from "./gather-elements.ts";
import { slice } from "./slice.ts";

export interface SortOptions {
  /** The last if absent. */
  axis?: number | undefined;
  /** True if the largest comes first; false if absent. */
  descending?: boolean | undefined;
}

/** Values in their order, and their places before, i32. */
export interface Sorted {
  readonly values: Tensor;
  readonly indices: Tensor;
}

/**
 * Places, i32, of the elements along an axis in ascending order, equals in theirs; NaN is the largest. Every element is
 * compared with every other one: for lines of thousands.
 *
 * x `[…]` → `[…]`
 *
 * @throws ShapeError if x lacks the axis.
 */
export function argsort(x: Tensor, options: SortOptions = {}): Tensor {
  return order("argsort", x, options);
}

/**
 * Elements along an axis in ascending order, and their places before: see `argsort`.
 *
 * x `[…]` → values and indices, `[…]` each
 *
 * @throws ShapeError if x lacks the axis.
 */
export function sort(x: Tensor, options: SortOptions = {}): Sorted {
  const indices = order("sort", x, options);
  return { values: gatherElements(x, indices, options.axis ?? -1), indices };
}

export interface TopKOptions {
  /** The last if absent. */
  axis?: number | undefined;
  /** False for the smallest elements; true if absent. */
  largest?: boolean | undefined;
}

/**
 * The `k` largest elements along an axis, the largest first, and their places.
 *
 * x `[…]` → values and indices, with `k` elements along the axis
 *
 * @throws ShapeError if x lacks the axis, or has fewer elements along it.
 */
export function topK(x: Tensor, k: number, options: TopKOptions = {}): Sorted {
  checkTensors("topK", { x });
  checkOptions("topK", options, ["axis", "largest"]);
  const { axis = -1, largest: descending = true } = options;
  const at = axisOf("topK", x.shape, axis);
  if (!(Number.isInteger(k) && k >= 0 && k <= x.shape[at]!)) {
    throw new ShapeError(`topK: k is ${k} but axis ${at} has ${x.shape[at]} elements. x is [${x.shape}].`);
  }
  const all = order("topK", x, { axis: at, descending });
  const ends = x.shape.map((side, i) => (i === at ? k : side));
  const indices = slice(all, [], ends);
  all.dispose();
  return { values: gatherElements(x, indices, at), indices };
}

function order(op: string, x: Tensor, options: SortOptions): Tensor {
  checkTensors(op, { x });
  checkOptions(op, options, ["axis", "descending"]);
  const { axis = -1, descending: DESCENDING = false } = options;
  const [outer, size, inner] = around(x.shape, axisOf(op, x.shape, axis));
  const whole = isInteger(x.dtype) && { Key: x.dtype, WHOLE: true };
  const holes = { Elem: x.dtype, DESCENDING, ...whole };
  const { shape } = x;
  return run(kernel, { outer, size, inner }, [x], { y: { shape, dtype: "i32" } }, { holes, op }).y;
}
