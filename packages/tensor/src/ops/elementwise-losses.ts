import { isInteger } from "../core/dtype.ts";
import { elementwise } from "../core/map.ts";
import { checkDevices } from "../core/run.ts";
import { scope } from "../core/scope.ts";
import { isSame } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { abs, mul, neg, sub } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { equal, where } from "./comparison.ts";
import { binary, checkBroadcast } from "./elementwise.ts";
import { gatherElements } from "./gather-elements.ts";
import { type LossOptions, reducedBy, reductionOf, warnOfLabels } from "./loss.ts";
import { compare, orNan } from "./nan.ts";
import { sum } from "./reduce.ts";
import { squeeze, unsqueeze } from "./shape.ts";
import { log1p } from "./smooth-units.ts";

const REDUCTION = ["reduction"];

/**
 * Mean of |x − y|.
 *
 * x `[…]` · y `[…]` → `[]`, or their broadcast shape without a reduction.
 *
 * @throws ShapeError if the shapes do not broadcast.
 */
export function l1Loss(x: Tensor, y: Tensor, options: LossOptions = {}): Tensor {
  checkTensors("l1Loss", { x, y });
  checkOptions("l1Loss", options, REDUCTION);
  checkBroadcast("l1Loss", { x, y });
  const reduction = reductionOf("l1Loss", options);
  return scope(() => reducedBy(abs(sub(x, y)), reduction));
}

export interface HuberLossOptions extends LossOptions {
  /** Distance from which on the loss is linear; 1 if absent. */
  delta?: number | undefined;
}

/**
 * ½ d² for distances d = |x − y| up to `delta`, and delta · (d − ½ delta) beyond. Huber, "Robust estimation of a location
 * parameter", 1964.
 *
 * x `[…]` · y `[…]` → `[]`, or their broadcast shape without a reduction.
 *
 * @throws ShapeError if the shapes do not broadcast, or delta is not above 0.
 */
export function huberLoss(x: Tensor, y: Tensor, options: HuberLossOptions = {}): Tensor {
  checkTensors("huberLoss", { x, y });
  checkOptions("huberLoss", options, [...REDUCTION, "delta"]);
  const { delta = 1 } = options;
  const reduction = reductionOf("huberLoss", options);
  if (!(delta > 0 && delta < Infinity))
    throw new ShapeError(
      `huberLoss: delta is ${delta}, not a number above 0. x is [${x.shape}]; y is [${y.shape}].`,
    );
  const near = (d: string, delta?: string) => `(abs(${d}) <= ${delta})`; // no NaN: it comes through both sides
  const f = (a?: string, b?: string, delta?: string) => {
    const d = `(${a} - ${b})`;
    return `select(${delta} * (abs(${d}) - 0.5 * ${delta}), 0.5 * ${d} * ${d}, ${near(d, delta)})`;
  };
  // The slope is the distance, clipped.
  const slope = (sign: string) => (dy?: string, a?: string, b?: string, delta?: string) => {
    const d = `(${a} - ${b})`;
    return orNan(`${sign}${dy} * select(sign(${d}) * ${delta}, ${d}, ${near(d, delta)})`, d);
  };
  return scope(() => {
    const losses = binary(
      "huberLoss",
      x,
      y,
      f,
      (dy) => [
        () => elementwise(slope(""), [dy, x, y, delta], { compute: "f32" }),
        () => elementwise(slope("-"), [dy, x, y, delta], { compute: "f32" }),
      ],
      { compute: "f32", numbers: { delta } },
    );
    return reducedBy(losses, reduction);
  });
}

export interface BceWithLogitsOptions extends LossOptions {
  /** Factor of the positive part of each loss, by class: as many as broadcast. */
  posWeight?: Tensor | undefined;
}

/**
 * −y · ln σ(x) − (1 − y) · ln(1 − σ(x)): the loss of yes-or-no answers, from their logits.
 *
 * x `[…]` · y `[…]`, from 0 to 1 → `[]`, or their broadcast shape without a reduction.
 *
 * @throws ShapeError if the shapes do not broadcast.
 */
export function bceWithLogits(x: Tensor, y: Tensor, options: BceWithLogitsOptions = {}): Tensor {
  checkTensors("bceWithLogits", { x, y });
  checkOptions("bceWithLogits", options, [...REDUCTION, "posWeight"]);
  const { posWeight } = options;
  const reduction = reductionOf("bceWithLogits", options);
  if (posWeight !== undefined) {
    checkTensors("bceWithLogits", { posWeight });
    checkBroadcast("bceWithLogits", { x, y, posWeight });
  }
  // Not of infinity, which some drivers give another value than 0.
  const small = (x?: string) => `exp(-min(abs(${x}), Vec(104)))`;
  // ln(1 + e^−x), of any x
  const soft = (x?: string) => `(max(-${x}, Vec(0)) + ${log1p(small(x))})`;
  const logistic = (x?: string) =>
    `(select(${small(x)}, Vec(1), ${compare(x, ">=", "Vec(0)")}) / (1 + ${small(x)}))`;
  const losses = () =>
    binary(
      "bceWithLogits",
      x,
      y,
      (x, y) => orNan(`${x} * (1 - ${y}) + ${soft(x)}`, x),
      (dy) => [
        () =>
          elementwise((dy, x, y) => orNan(`${dy} * (${logistic(x)} - ${y})`, x), [dy, x, y], {
            compute: "f32",
          }),
        () => elementwise((dy, x) => `-${dy} * ${x}`, [dy, x], { compute: "f32" }),
      ],
      { compute: "f32" },
    );
  if (!posWeight) return scope(() => reducedBy(losses(), reduction));
  // The weight adds y · (weight − 1) · ln(1 + e^−x).
  const positive = () =>
    binary(
      "bceWithLogits",
      x,
      y,
      (x, y) => orNan(`${y} * ${soft(x)}`, x),
      (dy) => [
        () =>
          elementwise((dy, x, y) => orNan(`${dy} * ${y} * (${logistic(x)} - 1)`, x), [dy, x, y], {
            compute: "f32",
          }),
        () => elementwise((dy, x) => orNan(`${dy} * ${soft(x)}`, x), [dy, x], { compute: "f32" }),
      ],
      { compute: "f32" },
    );
  return scope(() => reducedBy(sub(losses(), mul(positive(), sub(1, posWeight))), reduction));
}

export interface NllLossOptions extends LossOptions {
  /** Label of rows that do not count. PyTorch's is −100; none unless given. */
  ignoreIndex?: number | undefined;
}

/**
 * −logProbabilities at the labels: with `logSoftmax` before it, `crossEntropy`.
 *
 * logProbabilities `[…, C]` · labels `[…]`, i32 or u32 → `[]`, or `[…]` without a reduction. A label that is no class gives
 * NaN, and with `DEBUG=1` a warning.
 *
 * @throws ShapeError if the shapes do not fit, or labels are no integers.
 */
export function nllLoss(logProbabilities: Tensor, labels: Tensor, options: NllLossOptions = {}): Tensor {
  checkTensors("nllLoss", { logProbabilities, labels });
  checkOptions("nllLoss", options, [...REDUCTION, "ignoreIndex"]);
  const { ignoreIndex } = options;
  const reduction = reductionOf("nllLoss", options);
  checkLabels(logProbabilities, labels);
  checkDevices("nllLoss", { logProbabilities, labels });
  warnOfLabels("nllLoss", labels, logProbabilities.shape.at(-1)!, ignoreIndex);
  return scope(() => {
    const found = squeeze(gatherElements(logProbabilities, unsqueeze(labels, -1), -1), -1);
    if (ignoreIndex === undefined) return reducedBy(neg(found), reduction);
    const ignored = equal(labels, ignoreIndex);
    const losses = where(ignored, 0, neg(found));
    if (reduction !== "mean") return reducedBy(losses, reduction);
    const count = sum(sub(1, ignored));
    // In f32: a sum of halves may be beyond them where their mean is not.
    return binary(
      "nllLoss",
      sum(cast(losses, "f32")),
      count,
      (sum, count) => `${sum} / ${count}`,
      (dy) => [
        () => elementwise((dy, count) => `${dy} / ${count}`, [dy, count]),
        () => dy, // counts get none
      ],
      { dtype: losses.dtype },
    );
  });
}

function checkLabels(logProbabilities: Tensor, labels: Tensor): void {
  const rows = logProbabilities.shape.slice(0, -1);
  const fail = (what: string) =>
    new ShapeError(
      `nllLoss: ${what}. logProbabilities are [${logProbabilities.shape}] as [..., C]; labels are [${labels.shape}] as [...].`,
    );
  if (logProbabilities.shape.length === 0) throw fail("logProbabilities need an axis of classes");
  if (!isSame(rows, labels.shape))
    throw fail(`logProbabilities are for [${rows}] rows but labels are for [${labels.shape}]`);
  if (!isInteger(labels.dtype))
    throw fail(`labels are ${labels.dtype}, but classes have to be i32 or u32, such as Int32Array.of(3, 1)`);
}
