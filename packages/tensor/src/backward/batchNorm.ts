import {
  type BatchNormParams,
  finishGradients,
  inputGrad,
  sumGradients,
} from "@shadegrad/kernels-wgsl/batchNorm";
import { type Expression, elementwise } from "../core/map.ts";
import { run } from "../core/run.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Normalized } from "../ops/backward-ops.ts";

/** dx, dgamma and dbeta of `batchNorm`; the two sums over rows are computed once, by who is first to need them. */
export function batchNormGradients(dy: Tensor, of: Normalized, p: BatchNormParams & { eps: number }) {
  const { x, gamma, variance, training } = of;
  let made: ReturnType<typeof sumsOf> | undefined;
  const sums = () => (made ??= sumsOf(dy, of, p));
  return [
    // dx = γ / √(σ² + ε) · (dy − Σ dy / M − x̂ Σ dy x̂ / M); the means are absent in evaluation.
    () => {
      if (!training) return elementwise(scaled, [dy, gamma, variance, p.eps], { dtype: x.dtype });
      const { vectors } = sums();
      const dx = run(inputGrad, p, [x, dy, vectors], x.shape);
      vectors.dispose();
      return dx;
    },
    () => sums().dgamma,
    () => sums().dbeta,
  ];
}

const scaled: Expression = (dy, gamma, variance, eps) =>
  `${dy} * (${gamma} * inverseSqrt(${variance} + ${eps}))`;

function sumsOf(
  dy: Tensor,
  { x, gamma, beta, mean, variance, training }: Normalized,
  p: BatchNormParams & { eps: number },
) {
  const { partial } = run(sumGradients, p, [x, dy, mean, variance], {
    partial: { shape: [p.splits, 2, p.C], dtype: "f32" },
  });
  const writes = { dgamma: [p.C], dbeta: [p.C], vectors: [4, p.C] };
  const made = run(finishGradients, p, [partial, mean, variance, gamma], writes);
  if (!training || !x.requiresGrad) made.vectors.dispose();
  if (!gamma.requiresGrad) made.dgamma.dispose();
  if (!beta.requiresGrad) made.dbeta.dispose();
  partial.dispose();
  return made;
}
