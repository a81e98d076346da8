import {
  inputGradBatch,
  normalizeBatch,
  type TiledParams,
  tiledParams,
  tileGradients,
  tileMoments,
} from "@shadegrad/kernels-wgsl/batchNorm";
import { leaveMoments } from "../compile/moments.ts";
import { spanOf } from "../core/adjacent.ts";
import { differentiable } from "../core/autograd.ts";
import { recorder } from "../core/recorder.ts";
import { run } from "../core/run.ts";
import { sizeOf } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { BatchNormOptions } from "../ops/batch-norm-options.ts";

/** `batchNorm` in training, of arguments that it has checked. */
export function tiledBatchNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions): Tensor {
  const { eps = 1e-5 } = options;
  const C = x.shape.at(-1)!;
  const p = tiledParams(sizeOf(x.shape) / C, C);
  const { y, statistics } = forward(x, gamma, beta, p, options);
  return differentiable(
    "batchNorm",
    y,
    [x, gamma, beta],
    (dy) => {
      let made: ReturnType<typeof gradients> | undefined;
      const all = () => (made ??= gradients(dy, { x, gamma, beta, statistics }, { eps, ...p }));
      return [() => all().dx, () => all().dgamma, () => all().dbeta];
    },
    [statistics],
  );
}

function forward(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  p: TiledParams,
  { runningMean, runningVar, numBatchesTracked, momentum = 0.1, eps = 1e-5 }: BatchNormOptions,
): { y: Tensor; statistics: Tensor } {
  const { C, splits } = p;
  const shape = [splits + 1, 2, C];
  const { partial } = run(
    tileMoments,
    p,
    [x, gamma, beta],
    { partial: { shape, dtype: "f32" } },
    { op: "batchNorm" },
  );
  const tracked = runningMean && [runningMean, runningVar!, numBatchesTracked!];
  const words = (x: Tensor) => (x.storage.offset - runningMean!.storage.offset) / 4;
  const [varianceAt, batchesAt] = tracked ? [words(tracked[1]!), words(tracked[2]!)] : [0, 0];
  const { y, statistics, running } = run(
    normalizeBatch,
    // Spread members come last: V8 takes a microsecond for each member after it.
    { varianceAt, batchesAt, momentum, eps, ...p },
    [x, partial],
    {
      y: x.shape,
      statistics: { shape: [2, C], dtype: "f32" },
      running: tracked ? spanOf(tracked, "u32") : { shape: [4], dtype: "u32" },
    },
    { op: "batchNorm", holes: { TRACK: tracked !== undefined } },
  );
  for (const done of [partial, running]) done.dispose();
  const into = recorder();
  if (into) into.pass = leaveMoments;
  return { y, statistics };
}

/** dx, dgamma and dbeta, in two launches. */
function gradients(
  dy: Tensor,
  { x, gamma, beta, statistics }: Record<"x" | "gamma" | "beta" | "statistics", Tensor>,
  p: TiledParams & { eps: number },
) {
  const { partial } = run(tileGradients, p, [x, dy, statistics, gamma], {
    partial: { shape: [p.splits + 2, 2, p.C], dtype: "f32" },
  });
  const vector = { shape: [p.C], dtype: "f32" } as const;
  const made = run(inputGradBatch, p, [x, dy, partial], { dx: x.shape, dgamma: vector, dbeta: vector });
  partial.dispose();
  if (!x.requiresGrad) made.dx.dispose();
  if (!gamma.requiresGrad) made.dgamma.dispose();
  if (!beta.requiresGrad) made.dbeta.dispose();
  return made;
}
