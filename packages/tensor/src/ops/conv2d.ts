import { type Conv2dParams, conv2d as forward } from "@shadegrad/kernels-wgsl/conv2d";
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

export type { Padding, Pair } from "./window.ts";

export interface Conv2dOptions {
  /** Pixels the window moves between neighbouring outputs. */
  stride?: Pair;
  /** Zeros added around the image; "same" keeps its size, at stride 1. */
  padding?: Padding | "same" | "valid";
  /** Pixels between neighbouring taps of the window. */
  dilation?: Pair;
  /** Parts that channels are divided into; outputs see the channels of their own part. */
  groups?: number;
  /** Added to each output channel: [O]. */
  bias?: Tensor | undefined;
}

const OPTIONS = ["stride", "padding", "dilation", "groups", "bias"];

/**
 * Slide `w` over `x`: cross-correlation, as every deep learning library means by convolution.
 *
 * x `[N, H, W, C]` · w `[R, S, C / groups, O]` (+ bias `[O]`) → `[N, P, Q, O]`, with
 * P = ⌊(H + top + bottom − dilation·(R − 1) − 1) / stride⌋ + 1, and Q likewise.
 *
 * @throws ShapeError if the channels differ or the window does not fit in the padded image.
 */
export function conv2d(x: Tensor, w: Tensor, options: Conv2dOptions = {}): Tensor {
  checkTensors("conv2d", { x, w });
  checkOptions("conv2d", options, OPTIONS);
  const { bias } = options;
  if (bias !== undefined) checkTensors("conv2d", { bias });
  const p = conv2dParams(x, w, options, bias);
  const shape = [p.N, p.P, p.Q, p.O];
  const [a, b] = [lowered(x), lowered(w)];
  const y = run(forward, p, [a, b], shape, { epilogue: biased(bias) });
  return differentiable(
    "conv2d",
    y,
    bias ? [x, w, bias] : [x, w],
    (dy) => [
      () => fitted(backwardOps().conv2dInputGrad(dy, b, p), x, dy),
      () => backwardOps().conv2dWeightGrad(a, dy, w, p),
      () => sumTo(dy, [p.O], bias!.dtype),
    ],
    [a, b].filter((copy) => copy !== x && copy !== w),
  );
}

function conv2dParams(x: Tensor, w: Tensor, options: Conv2dOptions, bias: Tensor | undefined): Conv2dParams {
  const fail = (what: string) =>
    new ShapeError(
      `conv2d: ${what}. x is [${x.shape}] as [N, H, W, C]; w is [${w.shape}] as [R, S, ${groups === 1 ? "C" : "C / groups"}, O]${bias ? `; bias is [${bias.shape}] as [O]` : ""}.`,
    );
  const { groups = 1 } = options;
  if (x.shape.length !== 4 || w.shape.length !== 4) {
    throw fail(`x and w need 4 axes each, not ${x.shape.length} and ${w.shape.length}`);
  }
  const whole = [x, w].find(({ dtype }) => isInteger(dtype));
  if (whole) throw fail(`${whole === x ? "x" : "w"} is ${whole.dtype}; make it floats with cast(…, "f32")`);
  const [N, H, W, C] = x.shape as Quad;
  const [R, S, inputs, O] = w.shape as Quad;
  const [strideRows, strideCols] = pair("stride", options.stride ?? 1, 1, fail);
  const [dilationRows, dilationCols] = pair("dilation", options.dilation ?? 1, 1, fail);
  if (!Number.isInteger(groups) || groups < 1) throw fail(`groups is ${groups}, not a whole number ≥ 1`);
  if (C % groups !== 0 || O % groups !== 0)
    throw fail(`${C} channels in and ${O} out do not divide into ${groups} groups`);
  if (C !== inputs * groups) {
    const expected = `${inputs * groups}${groups === 1 ? "" : ` in ${groups} groups`}`;
    const isFirst = H === inputs * groups && W !== H;
    const hint = isFirst ? "; images are channels last: permute(x, [0, 2, 3, 1])" : "";
    throw fail(`x has ${C} channels but w expects ${expected}${hint}`);
  }
  if (R < 1 || S < 1) throw fail(`a window of ${R}×${S} is empty`);
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== O)) {
    throw fail(`bias has ${bias.shape.join("×")} elements but w has ${O} output channels`);
  }
  const spans = [dilationRows * (R - 1) + 1, dilationCols * (S - 1) + 1] as const;
  const pads = sides(options.padding ?? 0, spans, [strideRows, strideCols], fail);
  const [top, bottom, left, right] = pads;
  const P = Math.floor((H + top + bottom - spans[0]) / strideRows) + 1;
  const Q = Math.floor((W + left + right - spans[1]) / strideCols) + 1;
  if (P < 1 || Q < 1) {
    const dilated = spans[0] === R && spans[1] === S ? "" : `, dilated to ${spans[0]}×${spans[1]},`;
    const padded = pads.every((side) => side === 0) ? "" : ` padded by [${pads}]`;
    throw fail(`a ${R}×${S} window${dilated} does not fit in a ${H}×${W} image${padded}`);
  }
  return {
    N,
    H,
    W,
    C,
    R,
    S,
    O,
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
