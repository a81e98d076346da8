import { argmaxPasses, argmax as kernel } from "@shadegrad/kernels-wgsl/argmax";
import { isInteger } from "../core/dtype.ts";
import { run } from "../core/run.ts";
import { checkTensors, empty, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { around, axesOf, axisOf, without } from "./axes.ts";
import type { ReduceOptions } from "./reduce.ts";

/**
 * Index, i32, of the largest element along an axis, the first among equals; without an axis, the
 * index into all of x, row-major.
 *
 * x `[…]` → x without `axis`, or with 1 in its place.
 *
 * @throws ShapeError if x lacks the axis, or has no elements along it.
 */
export function argmax(x: Tensor, axis?: number, { keepdims = false }: ReduceOptions = {}): Tensor {
  checkTensors("argmax", { x });
  return argExtreme("argmax", x, axis, keepdims);
}

/** Index of the smallest element: as `argmax`. */
export function argmin(x: Tensor, axis?: number, { keepdims = false }: ReduceOptions = {}): Tensor {
  checkTensors("argmin", { x });
  return argExtreme("argmin", x, axis, keepdims);
}

function argExtreme(op: "argmax" | "argmin", x: Tensor, axis: number | undefined, keepdims: boolean): Tensor {
  const along = axis === undefined ? undefined : axisOf(op, x.shape, axis);
  const axes = along === undefined ? axesOf(op, x.shape, undefined) : [along];
  const shape = along === undefined ? ([1, x.size, 1] as const) : around(x.shape, along);
  if (shape[1] === 0 && shape[0] * shape[2] > 0) {
    throw new ShapeError(
      `${op}: nothing to choose from along ${along === undefined ? "all axes" : `axis ${along}`}. x is [${x.shape}].`,
    );
  }
  let found = empty([0], "i32", x.device);
  const WHOLE = isInteger(x.dtype);
  // −x of the least i32 would be itself, and u32 has no signs.
  const key = op === "argmax" ? "x" : WHOLE ? "~x" : "-x";
  const passes = argmaxPasses(shape);
  passes.forEach((pass, i) => {
    const y =
      i === passes.length - 1 ? without(x.shape, axes, keepdims) : [pass.outer, pass.splits, pass.inner];
    const next = run(
      kernel,
      pass,
      [x, found],
      { y: { shape: y, dtype: "i32" } },
      {
        holes: { CANDIDATES: i > 0, key, ...(WHOLE && { Elem: x.dtype, Key: x.dtype, WHOLE }) },
      },
    ).y;
    found.dispose();
    found = next;
  });
  return found;
}
