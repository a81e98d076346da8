import { scope } from "../core/scope.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { concat } from "./concat.ts";
import { avgPool2d } from "./pool.ts";
import { mean } from "./reduce.ts";
import { slice } from "./slice.ts";
import { type Pair, pair } from "./window.ts";

/**
 * Means of windows that divide the image into a number of rows and columns, whatever its size; where they do not divide it,
 * windows overlap by a pixel, as in PyTorch.
 *
 * x `[N, H, W, C]` → `[N, P, Q, C]`
 *
 * @throws ShapeError if x is no batch of images, or the size no whole numbers ≥ 1.
 */
export function adaptiveAvgPool2d(x: Tensor, size: Pair): Tensor {
  checkTensors("adaptiveAvgPool2d", { x });
  const fail = (what: string) =>
    new ShapeError(`adaptiveAvgPool2d: ${what}. x is [${x.shape}] as [N, H, W, C].`);
  if (x.shape.length !== 4) throw fail(`x needs 4 axes, not ${x.shape.length}`);
  const [P, Q] = pair("size", size, 1, fail);
  const [H, W] = [x.shape[1]!, x.shape[2]!];
  if (H % P === 0 && W % Q === 0) return avgPool2d(x, { kernel: [H / P, W / Q] });
  return scope(() => averaged(averaged(x, 1, P), 2, Q));
}

/** Means of `count` windows along one axis: from ⌊i · side / count⌋ to ⌈(i + 1) · side / count⌉. */
function averaged(x: Tensor, axis: number, count: number): Tensor {
  const side = x.shape[axis]!;
  const windows = Array.from({ length: count }, (_, i) => {
    const bounds = [Math.floor((i * side) / count), Math.ceil(((i + 1) * side) / count)] as const;
    const starts = x.shape.map((_, at) => (at === axis ? bounds[0] : 0));
    const ends = x.shape.map((own, at) => (at === axis ? bounds[1] : own));
    return mean(slice(x, starts, ends), axis, { keepdims: true });
  });
  return concat(windows, axis);
}
