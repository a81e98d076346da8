import { argmaxPasses, argmax as kernel } from "@shadegrad/kernels-wgsl/argmax";
import { noGrad } from "../core/autograd.ts";
import { isInteger } from "../core/dtype.ts";
import { run } from "../core/run.ts";
import { sizeOf } from "../core/shape.ts";
import { checkTensors, empty, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { around, axesOf, axisOf, without } from "./axes.ts";
import { permute } from "./permute.ts";
import { type Axes, keepsDims, type ReduceOptions } from "./reduce.ts";

/**
 * Index, i32, of the largest element along an axis, the first among equals; along several axes, or without any along all,
 * the index into those axes, row-major.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes, or has no elements along them.
 */
export function argmax(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkTensors("argmax", { x });
  return argExtreme("argmax", x, axes, keepsDims("argmax", options));
}

/** Index of the smallest element: as `argmax`. */
export function argmin(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkTensors("argmin", { x });
  return argExtreme("argmin", x, axes, keepsDims("argmin", options));
}

function argExtreme(op: "argmax" | "argmin", x: Tensor, given: Axes | undefined, keepdims: boolean): Tensor {
  if (typeof given === "object" && given.length !== 1) return alongSeveral(op, x, given, keepdims);
  const axis = typeof given === "object" ? given[0] : given;
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

/** The axes as the last one, and along that. */
function alongSeveral(
  op: "argmax" | "argmin",
  x: Tensor,
  given: readonly number[],
  keepdims: boolean,
): Tensor {
  const axes = axesOf(op, x.shape, given);
  const others = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const moved = noGrad(() => permute(x, [...others, ...axes]));
  const row = moved.view([
    ...others.map((axis) => x.shape[axis]!),
    sizeOf(axes.map((axis) => x.shape[axis]!)),
  ]);
  const found = argExtreme(op, row, -1, false);
  const y = found.view(without(x.shape, axes, keepdims));
  for (const tensor of [moved, row, found]) tensor.dispose();
  return y;
}
