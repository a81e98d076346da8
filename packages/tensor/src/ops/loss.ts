import { crossEntropy as kernel } from "@shadegrad/kernels-wgsl/crossEntropy";
import { differentiable, needsGrad } from "../core/autograd.ts";
import type { DType } from "../core/dtype.ts";
import { elementwise } from "../core/map.ts";
import { recorder } from "../core/recorder.ts";
import { run } from "../core/run.ts";
import { scope } from "../core/scope.ts";
import { checkTensors, empty, Tensor } from "../core/tensor.ts";
import { checkChoice, checkOptions, kindOf, ShapeError } from "../errors.ts";
import { debugLevel } from "../gpu/debug.ts";
import { square, sub } from "./arithmetic.ts";
import { checkBroadcast } from "./elementwise.ts";
import { mean, reduced, SUM, sum } from "./reduce.ts";

export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  /** Reduction of the rows' losses: "mean" unless given. */
  reduction?: Reduction | undefined;
}

export interface CrossEntropyOptions extends LossOptions {
  /** Share of the target, from 0 to 1, that is spread evenly over all classes. */
  labelSmoothing?: number | undefined;
  /** Label of rows that do not count: their loss and gradient are 0. PyTorch's is -100; none unless given. */
  ignoreIndex?: number | undefined;
  /** `[C]`, f32: weights of the classes' losses. The mean is then divided by the sum of the labels' weights. */
  weights?: Tensor | undefined;
}

/**
 * − log softmax(logits) at the labels: the loss of a classifier.
 *
 * Labels are not read back to be checked: where one is no class from 0 to C − 1, and not `ignoreIndex`, loss and
 * gradient are NaN; with `DEBUG=1` a warning names the label. Label smoothing: Szegedy et al., 2016.
 *
 * logits `[…, C]` · labels `[…]`, i32 or u32 → `[]`, or `[…]` without a reduction; f32.
 *
 * @throws ShapeError if the shapes do not fit, or labels are no integers.
 */
export function crossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkTensors("crossEntropy", { logits, labels });
  checkOptions("crossEntropy", options, ["labelSmoothing", "reduction", "ignoreIndex", "weights"]);
  const { labelSmoothing: smoothing = 0, ignoreIndex, weights } = options;
  const reduction = reductionOf("crossEntropy", options);
  checkLabels(logits, labels, smoothing, ignoreIndex, weights);
  warnOfLabels("crossEntropy", labels, logits.shape.at(-1)!, ignoreIndex);
  const { shape, size: N } = labels;
  // The total weight of the rows is only known on the device, unless each is 1.
  const counted = weights !== undefined || ignoreIndex !== undefined;
  const average = reduction === "mean" && !counted ? 1 / N : 1;
  const { losses, dlogits, rowWeights } = launchRows(logits, labels, options, N === 0 ? 1 : average);
  const total = (x: Tensor, scale = 1) => reduced(x, [...shape.keys()], [], { ...SUM, scale }, "f32");
  const count = reduction === "mean" && counted ? total(rowWeights) : undefined;
  rowWeights.dispose();
  const loss = reduction === "none" ? losses : byCount(total(losses, average), count);
  if (loss !== losses) losses.dispose();
  const perRow = reduction === "none" ? [...shape, 1] : [];
  return differentiable(
    "crossEntropy",
    loss,
    [logits],
    (dy) => [() => scaledGradient(dlogits, dy, count, perRow, logits.dtype)],
    count ? [dlogits, count] : [dlogits],
  );
}

/**
 * Each row's loss, gradient times `scale`, and weight, by one launch while the row is at hand. The gradient is empty if
 * nobody needs it, the weights if each is 1.
 */
function launchRows(
  logits: Tensor,
  labels: Tensor,
  { labelSmoothing: smoothing = 0, ignoreIndex, weights }: CrossEntropyOptions,
  scale: number,
): { losses: Tensor; dlogits: Tensor; rowWeights: Tensor } {
  const { shape, size: N } = labels;
  const holes = {
    GRADIENT: needsGrad(logits),
    WEIGHTED: weights !== undefined,
    IGNORING: ignoreIndex !== undefined,
  };
  const none = empty([0], "f32", logits.device);
  const { loss, dx, rowWeights } = run(
    kernel,
    { N, C: logits.shape.at(-1)!, smoothing, scale, ignored: ignoreIndex ?? 0 },
    [logits, labels, weights ?? none],
    {
      loss: { shape, dtype: "f32" },
      dx: { shape: holes.GRADIENT ? logits.shape : [0], dtype: "f32" },
      rowWeights: { shape: holes.WEIGHTED || holes.IGNORING ? shape : [0], dtype: "f32" },
    },
    { op: "crossEntropy", holes },
  );
  none.dispose();
  return { losses: loss, dlogits: dx, rowWeights };
}

/** dlogits · dy, or dlogits · dy / count; `perRow` is the shape of dy as logits broadcast it. */
function scaledGradient(
  dlogits: Tensor,
  dy: Tensor,
  count: Tensor | undefined,
  perRow: readonly number[],
  dtype: DType,
): Tensor {
  const scale = count ? elementwise((dy, count) => `${dy} / ${count}`, [dy, count]) : dy;
  const scales = scale.view(perRow);
  const dx = elementwise((dlogits, scale) => `${dlogits} * ${scale}`, [dlogits, scales], { dtype });
  scales.dispose();
  if (scale !== dy) scale.dispose();
  return dx;
}

/** A sum divided by a count; the sum itself without one. */
function byCount(sum: Tensor, count: Tensor | undefined): Tensor {
  if (!count) return sum;
  const mean = elementwise((sum, count) => `${sum} / ${count}`, [sum, count]);
  sum.dispose();
  return mean;
}

/** With DEBUG=1, read labels back, and warn of the first that is no class. */
export async function warnOfLabels(
  op: string,
  labels: Tensor,
  C: number,
  ignored: number | undefined,
): Promise<void> {
  if (debugLevel < 1 || recorder()) return;
  const found = await labels.data();
  const at = found.findIndex((label) => label !== ignored && !(label >= 0 && label < C));
  if (at < 0) return;
  console.warn(
    `shadegrad: ${op}: label ${at} is ${found[at]}, no class from 0 to ${C - 1}: its loss is NaN. ignoreIndex leaves rows out.`,
  );
}

/**
 * Mean of the squared differences.
 *
 * x `[…]` · y `[…]` → `[]`, or their broadcast shape without a reduction.
 *
 * @throws ShapeError if the shapes do not broadcast.
 */
export function mseLoss(x: Tensor, y: Tensor, options: LossOptions = {}): Tensor {
  checkTensors("mseLoss", { x, y });
  checkOptions("mseLoss", options, ["reduction"]);
  checkBroadcast("mseLoss", { x, y });
  const reduction = reductionOf("mseLoss", options);
  return scope(() => reducedBy(square(sub(x, y)), reduction));
}

/** @throws RangeError if there is no such reduction. → it, or the mean where none is given */
export function reductionOf(op: string, { reduction = "mean" }: LossOptions): Reduction {
  checkChoice(op, "reduction", reduction, ["mean", "sum", "none"]);
  return reduction;
}

/** The losses of all elements, as one number unless it is "none". */
export function reducedBy(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === "none") return losses;
  return reduction === "sum" ? sum(losses) : mean(losses);
}

function checkLabels(
  logits: Tensor,
  labels: Tensor,
  smoothing: number,
  ignored: number | undefined,
  weights: Tensor | undefined,
): void {
  const fail = (what: string) =>
    new ShapeError(
      `crossEntropy: ${what}. logits is [${logits.shape}] as [..., C]; labels is [${labels.shape}] as [...].`,
    );
  const rows = logits.shape.slice(0, -1);
  if (logits.shape.length === 0) throw fail("logits need an axis of classes");
  if (String(rows) !== String(labels.shape) || rows.length !== labels.shape.length) {
    throw fail(`logits are for [${rows}] rows but labels are for [${labels.shape}]`);
  }
  if (logits.shape.at(-1) === 0 && labels.size > 0) throw fail("there are 0 classes");
  if (labels.dtype !== "i32" && labels.dtype !== "u32") {
    throw fail(`labels are ${labels.dtype}, but classes have to be i32 or u32, such as Int32Array.of(3, 1)`);
  }
  if (!(smoothing >= 0 && smoothing <= 1)) throw fail(`labelSmoothing is ${smoothing}, not from 0 to 1`);
  if (ignored !== undefined && !Number.isInteger(ignored)) {
    throw fail(`ignoreIndex is ${ignored}, not a whole number`);
  }
  if (weights === undefined) return;
  if (!(weights instanceof Tensor)) throw fail(`weights are ${kindOf(weights)}, not a tensor`);
  const C = logits.shape.at(-1);
  if (weights.shape.length !== 1 || weights.shape[0] !== C) {
    throw fail(`weights are [${weights.shape}] but there are ${C} classes`);
  }
  if (weights.requiresGrad) throw fail("weights require a gradient, but none goes to them");
}
