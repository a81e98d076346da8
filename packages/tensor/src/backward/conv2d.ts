import {
  type Conv2dParams,
  conv2dInputGrad as inputGrad,
  sumPartials,
  conv2dWeightGrad as weightGrad,
  weightGradSplits,
} from "@shadegrad/kernels-wgsl/conv2d";
import type { DType } from "../core/dtype.ts";
import { run } from "../core/run.ts";
import type { Shape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";

/** dy `[N, P, Q, O]` · w `[R, S, C / groups, O]` → dx `[N, H, W, C]` */
export const conv2dInputGrad = (dy: Tensor, w: Tensor, p: Conv2dParams): Tensor =>
  run(inputGrad, p, [dy, w], [p.N, p.H, p.W, p.C]);

/** Partial sums over splits of N·P·Q, then their sum, of w's type: the same order every time. */
export function conv2dWeightGrad(x: Tensor, dy: Tensor, w: Tensor, p: Conv2dParams): Tensor {
  const splits = weightGradSplits(p, x.device.adapter);
  const shape = [p.R, p.S, p.C / p.groups, p.O];
  const partials = { partial: { shape: [splits, ...shape], dtype: "f32" } } as const;
  const { partial } = run(weightGrad, { splits, ...p }, [x, dy], partials);
  const dw = summed(partial, splits, shape, w.dtype);
  partial.dispose();
  return dw;
}

function summed(partial: Tensor, splits: number, shape: Shape, dtype: DType): Tensor {
  if (splits === 1 && dtype === "f32") return partial.view(shape);
  const params = { length: partial.size / splits, splits };
  return run(sumPartials, params, [partial], { y: { shape, dtype } }).y;
}
