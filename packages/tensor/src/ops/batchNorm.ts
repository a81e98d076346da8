import {
  batchNormParams,
  finishGradients,
  finishMoments,
  inputGrad,
  moments,
  normalize,
  sumGradients,
} from "@shadegrad/kernels-wgsl/batchNorm";
import { differentiable } from "../core/autograd.ts";
import { type Expression, elementwise } from "../core/map.ts";
import { run } from "../core/run.ts";
import { sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { BATCH_NORM_OPTIONS, type BatchNormOptions } from "./batch-norm-options.ts";
import { isTiled, tiledBatchNorm } from "./tiled-batch-norm.ts";

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
  const p = batchNormShape(x, gamma, beta, runningMean, runningVar, training);
  if (training && isTiled(x, options)) return tiledBatchNorm(x, gamma, beta, options);
  const { mean, variance } = training
    ? batchMoments(x, options)
    : { mean: runningMean!, variance: runningVar! };
  const y = run(normalize, { ...p, eps }, [x, mean, variance, gamma, beta], x.shape, { op: "batchNorm" });
  return differentiable(
    "batchNorm",
    y,
    // The running ones must not change between evaluation and its gradient either.
    training ? [x, gamma, beta] : [x, gamma, beta, mean, variance],
    (dy) => {
      let made: Record<"dgamma" | "dbeta" | "vectors", Tensor> | undefined;
      const sums = () => {
        if (made) return made;
        const { partial } = run(sumGradients, { ...p, eps }, [x, dy, mean, variance], {
          partial: { shape: [p.splits, 2, p.C], dtype: "f32" },
        });
        const writes = { dgamma: [p.C], dbeta: [p.C], vectors: [4, p.C] };
        made = run(finishGradients, { ...p, eps }, [partial, mean, variance, gamma], writes);
        if (!training || !x.requiresGrad) made.vectors.dispose();
        if (!gamma.requiresGrad) made.dgamma.dispose();
        if (!beta.requiresGrad) made.dbeta.dispose();
        partial.dispose();
        return made;
      };
      return [
        // dx = γ / √(σ² + ε) · (dy − Σ dy / M − x̂ Σ dy x̂ / M); the means are absent in evaluation.
        () => {
          if (!training) return elementwise(scaled, [dy, gamma, variance, eps], { dtype: x.dtype });
          const { vectors } = sums();
          const dx = run(inputGrad, p, [x, dy, vectors], x.shape);
          vectors.dispose();
          return dx;
        },
        () => sums().dgamma,
        () => sums().dbeta,
      ];
    },
    training ? [mean, variance] : [],
  );
}

const scaled: Expression = (dy, gamma, variance, eps) =>
  `${dy} * (${gamma} * inverseSqrt(${variance} + ${eps}))`;

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
    { ...p, momentum },
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
