import { avgPool, maxPool, maxPoolIndex, type PoolParams } from "@shadegrad/kernels-wgsl/pool";
import { differentiable, needsGrad } from "../core/autograd.ts";
import { run } from "../core/run.ts";
import { scope } from "../core/scope.ts";
import { checkTensors, type Tensor, tensor } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { mul } from "./arithmetic.ts";
import { backwardOps } from "./backward-ops.ts";
import { cast } from "./cast.ts";
import { mean } from "./reduce.ts";
import { type Padding, type Pair, pair, type Quad, sides } from "./window.ts";

export interface Pool2dOptions {
  /** Pixels of the window. */
  kernel: Pair;
  /** Pixels the window moves between neighbouring outputs: its own size unless given. */
  stride?: Pair | undefined;
  /** Pixels added around the image, on each side at most half the window. */
  padding?: Padding | undefined;
  /** True if a last window may reach beyond the padded image, so that P and Q are rounded up; false unless given. */
  ceilMode?: boolean | undefined;
}

export interface MaxPool2dOptions extends Pool2dOptions {
  /** Pixels between neighbouring elements of the window. */
  dilation?: Pair | undefined;
}

export interface AvgPool2dOptions extends Pool2dOptions {
  /** True if padding counts as zeros, or not at all; true unless given. */
  countIncludePad?: boolean | undefined;
}

const POOL_OPTIONS = ["kernel", "stride", "padding", "ceilMode"] as const;
export const MAX_POOL_OPTIONS: readonly (keyof MaxPool2dOptions)[] = [...POOL_OPTIONS, "dilation"];
export const AVG_POOL_OPTIONS: readonly (keyof AvgPool2dOptions)[] = [...POOL_OPTIONS, "countIncludePad"];

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
  checkOptions("maxPool2d", options, MAX_POOL_OPTIONS);
  const p = poolParams("maxPool2d", x, options);
  const shape = [p.N, p.P, p.Q, p.C];
  if (!needsGrad(x)) {
    const y = run(maxPool, p, [x], shape, { op: "maxPool2d" });
    return differentiable("maxPool2d", y, [x], () => []);
  }
  const writes = { y: shape, index: { shape, dtype: "u32" } } as const;
  const { y, index } = run(maxPoolIndex, p, [x], writes, { op: "maxPool2d" });
  const of = (dy: Tensor) => [() => backwardOps().maxPool2dGrad(dy, index, p)];
  return differentiable("maxPool2d", y, [x], of, [index]);
}

/** The largest elements, and their places in the image, h · W + w, u32: see `maxPool2d`. */
export interface Pooled {
  readonly values: Tensor;
  readonly indices: Tensor;
}

/**
 * `maxPool2d`, and the place of each largest element in its image, as PyTorch's `return_indices` has it.
 *
 * x `[N, H, W, C]` → values and indices, `[N, P, Q, C]` each
 *
 * @throws ShapeError if the window does not fit in the padded image, or is padded by more than half.
 */
export function maxPool2dWithIndices(x: Tensor, options: MaxPool2dOptions): Pooled {
  checkTensors("maxPool2dWithIndices", { x });
  checkOptions("maxPool2dWithIndices", options, MAX_POOL_OPTIONS);
  const p = poolParams("maxPool2dWithIndices", x, options);
  const shape = [p.N, p.P, p.Q, p.C];
  const writes = { y: shape, index: { shape, dtype: "u32" } } as const;
  const { y, index } = run(maxPoolIndex, p, [x], writes, { op: "maxPool2d" });
  // The indices are the caller's, who may free them before the gradient is computed.
  const own = index.view();
  const of = (dy: Tensor) => [() => backwardOps().maxPool2dGrad(dy, own, p)];
  return { values: differentiable("maxPool2d", y, [x], of, [own]), indices: index };
}

/**
 * Mean of each window.
 *
 * x `[N, H, W, C]` → `[N, P, Q, C]`, with P = ⌊(H + 2·padding − R) / stride⌋ + 1.
 *
 * @throws ShapeError if the window does not fit in the padded image, or is padded by more than half.
 */
export function avgPool2d(x: Tensor, given: AvgPool2dOptions): Tensor {
  checkTensors("avgPool2d", { x });
  checkOptions("avgPool2d", given, AVG_POOL_OPTIONS);
  const { countIncludePad = true, ...options } = given;
  const p = poolParams("avgPool2d", x, options);
  // Beyond the padding nothing counts: the kernel divides by pixels, and the padding's share is taken off after it.
  const isCorrected = countIncludePad && Boolean(options.ceilMode);
  const counted = { op: "avgPool2d", holes: { COUNT_PAD: countIncludePad && !isCorrected } };
  const means = () => {
    const y = run(avgPool, p, [x], [p.N, p.P, p.Q, p.C], counted);
    return differentiable("avgPool2d", y, [x], (dy) => [
      () => backwardOps().avgPool2dGrad(dy, p, counted.holes.COUNT_PAD),
    ]);
  };
  if (!isCorrected) return means();
  return scope(() => {
    const y = means();
    return cast(mul(y, pixelShares(x, p, options)), y.dtype);
  });
}

/** Share of pixels among the elements of each window in the padded image. `[P, Q, 1]` */
function pixelShares(x: Tensor, p: PoolParams, { padding = 0 }: AvgPool2dOptions): Tensor {
  const fail = (what: string) => new ShapeError(`avgPool2d: ${what}.`);
  const [, bottom, , right] = sides(padding, [p.R, p.S], [p.strideRows, p.strideCols], fail);
  const shares = (count: number, stride: number, before: number, span: number, side: number, after: number) =>
    Array.from({ length: count }, (_, at) => {
      const [from, to] = [at * stride - before, Math.min(at * stride - before + span, side + after)];
      return (Math.min(to, side) - Math.max(from, 0)) / (to - from);
    });
  const rows = shares(p.P, p.strideRows, p.padTop, p.R, p.H, bottom);
  const columns = shares(p.Q, p.strideCols, p.padLeft, p.S, p.W, right);
  const values = Float32Array.from(rows.flatMap((row) => columns.map((column) => row * column)));
  return tensor(values, [p.P, p.Q, 1], { device: x.device });
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
  const count = (side: number, before: number, after: number, span: number, stride: number) => {
    const room = (side + before + after - span) / stride;
    if (!options.ceilMode) return Math.floor(room) + 1;
    // A window begins in the image or in the padding before it.
    return Math.min(Math.ceil(room) + 1, Math.ceil((side + before) / stride));
  };
  const P = count(H, top, bottom, rows, strideRows);
  const Q = count(W, left, right, cols, strideCols);
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
