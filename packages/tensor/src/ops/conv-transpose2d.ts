import { type Conv2dParams, conv2dInputGrad, conv2d as forward } from "@shadegrad/kernels-wgsl/conv2d";
import { differentiable } from "../core/autograd.ts";
import { isInteger } from "../core/dtype.ts";
import { biased, run } from "../core/run.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { backwardOps } from "./backward-ops.ts";
import { lowered } from "./cast.ts";
import { fitted } from "./elementwise.ts";
import { sumTo } from "./reduce.ts";
import { type Padding, type Pair, pair, type Quad, sides } from "./window.ts";

export interface ConvTranspose2dOptions {
  /** Pixels between neighbouring windows of the output. */
  stride?: Pair | undefined;
  /** Pixels that are cut off the output's edges. */
  padding?: Padding | undefined;
  /** Pixels added below and on the right, fewer than the stride: several sizes of a convolution's input have one output. */
  outputPadding?: Pair | undefined;
  /** Pixels between neighbouring taps of the window. */
  dilation?: Pair | undefined;
  groups?: number | undefined;
  /** Added to each output channel: `[O]`. */
  bias?: Tensor | undefined;
}

const OPTIONS = ["stride", "padding", "outputPadding", "dilation", "groups", "bias"];

/**
 * The transpose of `conv2d`: each pixel of x adds a window of weights, scaled, to the output. It is the gradient of a
 * convolution, and computed by its kernel.
 *
 * x `[N, P, Q, C]` · w `[R, S, O / groups, C]` (+ bias `[O]`) → `[N, H, W, O]`, with
 * H = (P − 1) · stride − top − bottom + dilation · (R − 1) + outputPadding + 1, and W likewise. PyTorch's w is
 * `[C, O / groups, R, S]`.
 *
 * @throws ShapeError if the channels differ, or the output would be empty.
 */
export function convTranspose2d(x: Tensor, w: Tensor, options: ConvTranspose2dOptions = {}): Tensor {
  checkTensors("convTranspose2d", { x, w });
  checkOptions("convTranspose2d", options, OPTIONS);
  const { bias } = options;
  if (bias !== undefined) checkTensors("convTranspose2d", { bias });
  const p = transposedParams(x, w, options);
  const [a, b] = [lowered(x), lowered(w)];
  const y = run(conv2dInputGrad, p, [a, b], [p.N, p.H, p.W, p.C], {
    epilogue: biased(bias),
    op: "convTranspose2d",
  });
  return differentiable(
    "convTranspose2d",
    y,
    bias ? [x, w, bias] : [x, w],
    (dy) => [
      () => fitted(run(forward, p, [dy, b], x.shape), x, dy),
      () => backwardOps().conv2dWeightGrad(dy, a, w, p),
      () => sumTo(dy, [p.C], bias!.dtype),
    ],
    [a, b].filter((copy) => copy !== x && copy !== w),
  );
}

/** Parameters of the convolution that leads from the output to x: its C are the output's channels, its O those of x. */
function transposedParams(x: Tensor, w: Tensor, options: ConvTranspose2dOptions): Conv2dParams {
  const { groups = 1, bias } = options;
  const fail = (what: string) =>
    new ShapeError(
      `convTranspose2d: ${what}. x is [${x.shape}] as [N, P, Q, C]; w is [${w.shape}] as [R, S, ${groups === 1 ? "O" : "O / groups"}, C]${bias ? `; bias is [${bias.shape}] as [O]` : ""}.`,
    );
  if (x.shape.length !== 4 || w.shape.length !== 4)
    throw fail(`x and w need 4 axes each, not ${x.shape.length} and ${w.shape.length}`);
  for (const [name, { dtype }] of Object.entries({ x, w }))
    if (isInteger(dtype)) throw fail(`${name} is ${dtype}; make it floats with cast(${name}, "f32")`);
  const [N, P, Q, channels] = x.shape as Quad;
  const [R, S, outputs, inputs] = w.shape as Quad;
  if (channels !== inputs) throw fail(`x has ${channels} channels but w expects ${inputs}`);
  if (!Number.isInteger(groups) || groups < 1) throw fail(`groups is ${groups}, not a whole number ≥ 1`);
  if (channels % groups !== 0) throw fail(`${channels} channels do not divide into ${groups} groups`);
  const C = outputs * groups;
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== C))
    throw fail(`bias has ${bias.shape.join("×")} elements but there are ${C} output channels`);
  const [strideRows, strideCols] = pair("stride", options.stride ?? 1, 1, fail);
  const [dilationRows, dilationCols] = pair("dilation", options.dilation ?? 1, 1, fail);
  const [moreRows, moreCols] = pair("outputPadding", options.outputPadding ?? 0, 0, fail);
  if (moreRows >= strideRows || moreCols >= strideCols)
    throw fail(
      `outputPadding is [${moreRows},${moreCols}] but the stride only [${strideRows},${strideCols}]`,
    );
  const spans = [dilationRows * (R - 1) + 1, dilationCols * (S - 1) + 1] as const;
  const [top, bottom, left, right] = sides(options.padding ?? 0, spans, [strideRows, strideCols], fail);
  const H = (P - 1) * strideRows + spans[0] + moreRows - top - bottom;
  const W = (Q - 1) * strideCols + spans[1] + moreCols - left - right;
  if (H < 1 || W < 1) throw fail(`nothing is left of the output: ${H}×${W} pixels`);
  return {
    N,
    H,
    W,
    C,
    R,
    S,
    O: channels,
    P,
    Q,
    strideRows,
    strideCols,
    padTop: top,
    padLeft: left,
    dilationRows,
    dilationCols,
    groups,
  };
}
