import {
  avgPool,
  avgPoolGrad,
  maxPool,
  maxPoolGrad,
  maxPoolIndex,
  type PoolParams,
} from "@shadegrad/kernels-wgsl/pool";
import { differentiable, needsGrad } from "../core/autograd.ts";
import { run } from "../core/run.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { mean } from "./reduce.ts";
import { type Padding, type Pair, pair, type Quad, sides } from "./window.ts";

export interface Pool2dOptions {
  /** Pixels of the window. */
  kernel: Pair;
  /** Pixels the window moves between neighbouring outputs: its own size unless given. */
  stride?: Pair | undefined;
  /** Pixels added around the image, on each side at most half the window. */
  padding?: Padding | undefined;
}

export interface MaxPool2dOptions extends Pool2dOptions {
  /** Pixels between neighbouring elements of the window. */
  dilation?: Pair | undefined;
}

export interface AvgPool2dOptions extends Pool2dOptions {
  /** True if padding counts as zeros, or not at all; true unless given. */
  countIncludePad?: boolean | undefined;
}

/**
 * Largest element of each window; padding is never one. The gradient goes to the first of equals,
 * row by row, as in PyTorch.
 *
 * x `[N, H, W, C]` → `[N, P, Q, C]`, with P = ⌊(H + 2·padding − dilation·(R − 1) − 1) / stride⌋ + 1.
 *
 * @throws ShapeError if the window does not fit in the padded image, or is padded by more than half.
 */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions): Tensor {
  checkTensors("maxPool2d", { x });
  const p = poolParams("maxPool2d", x, options);
  const shape = [p.N, p.P, p.Q, p.C];
  if (!needsGrad(x)) {
    const y = run(maxPool, p, [x], shape, { op: "maxPool2d" });
    return differentiable("maxPool2d", y, [x], () => []);
  }
  const writes = { y: shape, index: { shape, dtype: "u32" } } as const;
  const { y, index } = run(maxPoolIndex, p, [x], writes, { op: "maxPool2d" });
  const of = (dy: Tensor) => [() => run(maxPoolGrad, p, [dy, index], x.shape)];
  return differentiable("maxPool2d", y, [x], of, [index]);
}

/**
 * Mean of each window.
 *
 * x `[N, H, W, C]` → `[N, P, Q, C]`, with P = ⌊(H + 2·padding − R) / stride⌋ + 1.
 *
 * @throws ShapeError if the window does not fit in the padded image, or is padded by more than half.
 */
export function avgPool2d(x: Tensor, { countIncludePad = true, ...options }: AvgPool2dOptions): Tensor {
  checkTensors("avgPool2d", { x });
  const p = poolParams("avgPool2d", x, options);
  const counted = { op: "avgPool2d", holes: { COUNT_PAD: countIncludePad } };
  const y = run(avgPool, p, [x], [p.N, p.P, p.Q, p.C], counted);
  return differentiable("avgPool2d", y, [x], (dy) => [() => run(avgPoolGrad, p, [dy], x.shape, counted)]);
}

/**
 * Mean of each image's channel: mean(x, [1, 2]).
 *
 * x `[N, H, W, C]` → `[N, C]`
 *
 * @throws ShapeError if x is no batch of images.
 */
export function globalAvgPool2d(x: Tensor): Tensor {
  checkTensors("globalAvgPool2d", { x });
  if (x.shape.length !== 4) throw notImages("globalAvgPool2d", x);
  return mean(x, [1, 2]);
}

function poolParams(op: string, x: Tensor, options: MaxPool2dOptions): PoolParams {
  const fail = (what: string) => new ShapeError(`${op}: ${what}. x is [${x.shape}] as [N, H, W, C].`);
  if (x.shape.length !== 4) throw notImages(op, x);
  const [N, H, W, C] = x.shape as Quad;
  const [R, S] = pair("kernel", options.kernel, 1, fail);
  const [strideRows, strideCols] = pair("stride", options.stride ?? [R, S], 1, fail);
  const [dilationRows, dilationCols] = pair("dilation", options.dilation ?? 1, 1, fail);
  const rows = dilationRows * (R - 1) + 1;
  const cols = dilationCols * (S - 1) + 1;
  const pads = sides(options.padding ?? 0, [rows, cols], [strideRows, strideCols], fail);
  const [top, bottom, left, right] = pads;
  if (2 * Math.max(top, bottom) > rows || 2 * Math.max(left, right) > cols) {
    throw fail(`padding of [${pads}] is more than half of a ${rows}×${cols} window on some side`);
  }
  const P = Math.floor((H + top + bottom - rows) / strideRows) + 1;
  const Q = Math.floor((W + left + right - cols) / strideCols) + 1;
  if (P < 1 || Q < 1) {
    const padded = pads.some((side) => side > 0) ? ` padded by [${pads}]` : "";
    throw fail(`a ${rows}×${cols} window does not fit in a ${H}×${W} image${padded}`);
  }
  return {
    N,
    H,
    W,
    C,
    R,
    S,
    P,
    Q,
    strideRows,
    strideCols,
    padTop: top,
    padLeft: left,
    dilationRows,
    dilationCols,
  };
}

const notImages = (op: string, { shape }: Tensor) =>
  new ShapeError(`${op}: x needs 4 axes, not ${shape.length}. x is [${shape}]; images are [N, H, W, C].`);
