import { avgPoolGrad, maxPoolGrad, type PoolParams } from "@shadegrad/kernels-wgsl/pool";
import { run } from "../core/run.ts";
import type { Tensor } from "../core/tensor.ts";

const images = ({ N, H, W, C }: PoolParams) => [N, H, W, C];

/** dy `[N, P, Q, C]` and the index of `maxPoolIndex` → dx `[N, H, W, C]` */
export const maxPool2dGrad = (dy: Tensor, index: Tensor, p: PoolParams): Tensor =>
  run(maxPoolGrad, p, [dy, index], images(p));

/** dy `[N, P, Q, C]` → dx `[N, H, W, C]`; `countPad`: whether the padding counts in the means. */
export const avgPool2dGrad = (dy: Tensor, p: PoolParams, countPad: boolean): Tensor =>
  run(avgPoolGrad, p, [dy], images(p), { op: "avgPool2d", holes: { COUNT_PAD: countPad } });
