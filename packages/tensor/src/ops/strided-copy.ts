import { type StridedView, stridedCopy, stridedCopyParams } from "@shadegrad/kernels-wgsl/stridedCopy";
import { pad, padParams, type Window } from "@shadegrad/kernels-wgsl/stridedPad";
import { checkHolds } from "../core/numbers.ts";
import { run } from "../core/run.ts";
import type { Shape } from "../core/shape.ts";
import { strides } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";

/** The elements of `x` that `from` walks to, as a new tensor of that shape; not recorded. */
export function gathered(op: string, x: Tensor, shape: Shape, from: StridedView): Tensor {
  const params = stridedCopyParams(shape, from, { strides: strides(shape), offset: 0 });
  const { dtype } = x;
  return run(stridedCopy, params, [x], { y: { shape, dtype } }, { op, holes: { Elem: dtype } }).y;
}

/** Write all of `x` to where `to` walks in `y`, in place. */
export function scatter(x: Tensor, y: Tensor, to: StridedView): void {
  const params = stridedCopyParams(x.shape, { strides: strides(x.shape), offset: 0 }, to);
  run(stridedCopy, params, [x], { y }, { holes: { Elem: x.dtype } });
}

/** The elements of `x` that `from` walks to, in windows of a new tensor, and `value` everywhere else; not recorded. */
export function padded(
  op: string,
  x: Tensor,
  windows: readonly Window[],
  from: StridedView,
  value = 0,
): Tensor {
  const { dtype } = x;
  checkHolds(op, dtype, value);
  const Scalar = dtype === "f16" ? "f32" : dtype;
  const shape = windows.map(({ side }) => side);
  const params = padParams(windows, from, Scalar, value);
  return run(pad, params, [x], { y: { shape, dtype } }, { op, holes: { Elem: dtype, Scalar } }).y;
}
