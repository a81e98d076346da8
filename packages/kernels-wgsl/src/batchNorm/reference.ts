/** Mean and variance of each channel, in float64, in two passes. */
export function momentsReference(x: ArrayLike<number>, M: number, C: number) {
  const mean = new Float64Array(C);
  const variance = new Float64Array(C);
  for (let i = 0; i < M * C; i++) mean[i % C]! += x[i]! / M;
  for (let i = 0; i < M * C; i++) variance[i % C]! += (x[i]! - mean[i % C]!) ** 2 / M;
  return { mean, variance };
}

interface Normal {
  readonly x: ArrayLike<number>;
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
  readonly gamma: ArrayLike<number>;
  readonly beta: ArrayLike<number>;
  readonly eps: number;
}

/** The definition, in float64. */
export function normalizeReference({ x, mean, variance, gamma, beta, eps }: Normal): Float64Array {
  const C = mean.length;
  return Float64Array.from(
    { length: x.length },
    (_, i) => ((x[i]! - mean[i % C]!) / Math.sqrt(variance[i % C]! + eps)) * gamma[i % C]! + beta[i % C]!,
  );
}

/** The gradients' formulas where the statistics are x's own, in float64. */
export function batchNormGradReference({ x, mean, variance, gamma, eps }: Normal, dy: ArrayLike<number>) {
  const C = mean.length;
  const M = x.length / C;
  const rstd = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + eps));
  const normal = (i: number) => (x[i]! - mean[i % C]!) * rstd[i % C]!;
  const dgamma = new Float64Array(C);
  const dbeta = new Float64Array(C);
  for (let i = 0; i < x.length; i++) {
    dgamma[i % C]! += dy[i]! * normal(i);
    dbeta[i % C]! += dy[i]!;
  }
  const dx = Float64Array.from({ length: x.length }, (_, i) => {
    const own = (dbeta[i % C]! + normal(i) * dgamma[i % C]!) / M;
    return (dy[i]! - own) * gamma[i % C]! * rstd[i % C]!;
  });
  return { dx, dgamma, dbeta };
}
