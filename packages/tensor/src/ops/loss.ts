import { crossEntropy as kernel } from "@shadegrad/kernels-wgsl/crossEntropy";
import { broadcast, map } from "@shadegrad/kernels-wgsl/map";
import { differentiable, needsGrad } from "../core/autograd.ts";
import { run } from "../core/run.ts";
import { sizeOf } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { square, sub } from "./arithmetic.ts";
import { mean, reduced, SUM, sum } from "./reduce.ts";

export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  /** What becomes of the losses of the rows: "mean" unless given. */
  reduction?: Reduction | undefined;
}

export interface CrossEntropyOptions extends LossOptions {
  /** Share of the target, from 0 to 1, that is spread evenly over all classes. */
  labelSmoothing?: number | undefined;
}

/**
 * − log softmax(logits) at the labels: the loss of a classifier.
 *
 * Labels are not read back to be checked: where one is no class from 0 to C − 1, loss and gradient
 * are NaN. Label smoothing: Szegedy et al., 2016.
 *
 * logits `[…, C]` · labels `[…]`, i32 or u32 → `[]`, or `[…]` without a reduction; f32.
 *
 * @throws ShapeError if the shapes do not fit, or labels are no integers.
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  { labelSmoothing: smoothing = 0, reduction = "mean" }: CrossEntropyOptions = {},
): Tensor {
  checkLabels(logits, labels, smoothing);
  const { shape } = labels;
  const C = logits.shape.at(-1)!;
  const N = sizeOf(shape);
  const average = reduction === "mean" ? 1 / N : 1;
  const GRADIENT = needsGrad(logits);
  // One launch computes both, each row's loss and its gradient, while the row is at hand.
  const { loss: losses, dx: dlogits } = run(
    kernel,
    { N, C, smoothing, scale: N === 0 ? 1 : average },
    [logits, labels],
    { loss: { shape, dtype: "f32" }, dx: { shape: GRADIENT ? logits.shape : [0], dtype: "f32" } },
    { holes: { GRADIENT } },
  );
  let loss = losses;
  if (reduction !== "none") {
    loss = reduced(
      losses,
      shape.map((_, axis) => axis),
      [],
      { ...SUM, scale: average },
      "f32",
    );
    losses.dispose();
  }
  return differentiable(
    "crossEntropy",
    loss,
    [logits],
    (dy) => [
      () => {
        const p = broadcast([N, C], [[C, 1], reduction === "none" ? [1, 0] : [0, 0]]);
        const holes = { A: "f32", B: "f32", C: "f32", Y: logits.dtype, f: "a * b" };
        const writes = { y: { shape: logits.shape, dtype: logits.dtype } };
        return run(map, p, [dlogits, dy, dy], writes, { holes }).y;
      },
    ],
    [dlogits],
  );
}

/**
 * Mean of the squared differences.
 *
 * x `[…]` · y `[…]` → `[]`, or their broadcast shape without a reduction.
 *
 * @throws ShapeError if the shapes do not broadcast.
 */
export function mseLoss(x: Tensor, y: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  const squares = square(sub(x, y));
  if (reduction === "none") return squares;
  return reduction === "sum" ? sum(squares) : mean(squares);
}

function checkLabels(logits: Tensor, labels: Tensor, smoothing: number): void {
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
}
