import { batchNormParams, finishMoments, moments, normalize } from "@shadegrad/kernels-wgsl/batchNorm";
import { isContiguous } from "../core/adjacent.ts";
import { differentiable } from "../core/autograd.ts";
import { run } from "../core/run.ts";
import { sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkAmount, checkOptions, ShapeError } from "../errors.ts";
import { backwardOps, hasBackwardOps } from "./backward-ops.ts";
import { BATCH_NORM_OPTIONS, type BatchNormOptions } from "./batch-norm-options.ts";

export type { BatchNormOptions } from "./batch-norm-options.ts";

/**
 * Give each channel mean 0 and deviation 1 over all other axes, then scale and shift it.
 *
 * Batch normalization (Ioffe and Szegedy, 2015). In training it also moves the running statistics,
 * the variance with Bessel's correction as in PyTorch.
 *
 * x `[…, C]` · gamma `[C]` · beta `[C]` → `[…, C]`
 *
 * @throws ShapeError if the channels differ, or in training if a channel has only one value.
 */
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions = {}): Tensor {
  checkTensors("batchNorm", { x, gamma, beta });
  checkOptions("batchNorm", options, BATCH_NORM_OPTIONS);
  const { runningMean, runningVar, training = false, eps = 1e-5 } = options;
  checkAmount("batchNorm", "eps", eps);
  const p = batchNormShape(x, gamma, beta, runningMean, runningVar, training);
  if (training && hasBackwardOps() && isTiled(x, options)) {
    return backwardOps().tiledBatchNorm(x, gamma, beta, options);
  }
  const { mean, variance } = training
    ? batchMoments(x, options)
    : { mean: runningMean!, variance: runningVar! };
  const y = run(normalize, { eps, ...p }, [x, mean, variance, gamma, beta], x.shape, { op: "batchNorm" });
  return differentiable(
    "batchNorm",
    y,
    // The running ones must not change between evaluation and its gradient either.
    training ? [x, gamma, beta] : [x, gamma, beta, mean, variance],
    (dy) => backwardOps().batchNormGradients(dy, { x, gamma, beta, mean, variance, training }, { eps, ...p }),
    training ? [mean, variance] : [],
  );
}

/**
 * True if a batch's norm takes two launches each way: workgroups that finish the sums for themselves, behind a barrier, which a
 * software rasteriser pays dearly for. Running statistics have to lie one after the other, as a BatchNorm2d's do.
 */
function isTiled(x: Tensor, options: BatchNormOptions): boolean {
  if (x.device.adapter.software || x.size === 0) return false;
  const { runningMean, runningVar, numBatchesTracked } = options;
  if (!runningMean) return true;
  return numBatchesTracked !== undefined && isContiguous([runningMean, runningVar!, numBatchesTracked]);
}

/**
 * Mean and variance, divided by M, of each channel over all other axes, M elements; the running
 * statistics, if given, move towards them.
 *
 * x `[…, C]` → mean `[C]`, variance `[C]`, both f32. Not recorded: for what has its own gradient.
 */
export function batchMoments(
  x: Tensor,
  {
    runningMean,
    runningVar,
    numBatchesTracked,
    momentum = 0.1,
  }: Pick<BatchNormOptions, "runningMean" | "runningVar" | "numBatchesTracked" | "momentum"> = {},
): { mean: Tensor; variance: Tensor } {
  const C = x.shape.at(-1)!;
  const p = batchNormParams(sizeOf(x.shape.slice(0, -1)), C, x.device.adapter.software);
  const writes = { partial: { shape: [p.splits, 2, C], dtype: "f32" } } as const;
  const { partial } = run(moments, p, [x], writes, { op: "batchNorm" });
  const none = { runningMean: [0], runningVar: [0] };
  const uncounted = { shape: [1], dtype: "i32" } as const;
  const { mean, variance, batches, ...rest } = run(
    finishMoments,
    { momentum, ...p },
    [partial, x],
    {
      ...{ mean: [C], variance: [C], batches: numBatchesTracked ?? uncounted },
      ...(runningMean && runningVar ? { runningMean, runningVar } : none),
    },
    { holes: { TRACK: runningMean !== undefined } },
  );
  partial.dispose();
  if (!numBatchesTracked) batches.dispose();
  if (!runningMean) for (const tensor of Object.values(rest)) tensor.dispose();
  return { mean, variance };
}

function batchNormShape(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  runningMean: Tensor | undefined,
  runningVar: Tensor | undefined,
  training: boolean,
) {
  const perChannel = Object.entries({ gamma, beta, runningMean, runningVar }).filter(([, t]) => t) as [
    string,
    Tensor,
  ][];
  const fail = (what: string) => {
    const shapes = perChannel.map(([name, { shape }]) => `${name} is [${shape}]`);
    return new ShapeError(`batchNorm: ${what}. x is [${x.shape}] as [..., C]; ${shapes.join("; ")}, as [C].`);
  };
  if (x.shape.length < 2) throw fail(`x needs 2 axes or more, not ${x.shape.length}`);
  const C = x.shape.at(-1)!;
  for (const [name, { shape, dtype }] of perChannel) {
    if (dtype !== "f32") throw fail(`${name} is ${dtype} but has to be f32; cast(${name}, "f32") converts`);
    if (shape.length !== 1 || shape[0] !== C) {
      throw fail(
        `x has ${C} channels but ${name} has ${shape.length === 1 ? shape[0] : `${shape.length} axes`}`,
      );
    }
  }
  if (!runningMean !== !runningVar) {
    throw fail(`${runningMean ? "runningMean" : "runningVar"} is given without the other running statistic`);
  }
  if (!training && !runningMean) throw fail("evaluation needs runningMean and runningVar");
  const rows = sizeOf(x.shape.slice(0, -1));
  if (training && rows < 2 && C > 0) {
    throw fail(
      `training needs more than 1 value per channel, not ${rows}: their variance would be undefined`,
    );
  }
  return batchNormParams(rows, C, x.device.adapter.software);
}
