import { type Case, randomValues } from "../check.ts";
import type { ParamValues } from "../launch/kernel.ts";
import { batchNormGradReference, momentsReference } from "./index.ts";

export const EPS = 1e-3;

export function inputs(M: number, C: number) {
  const x = randomValues(M * C, 1).map((value) => 2 * value + 1);
  const dy = randomValues(M * C, 2);
  const [mean, gamma, beta] = [3, 4, 5].map((seed) => randomValues(C, seed)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const variance = randomValues(C, 6).map((value) => value + 1.5);
  return { x, dy, mean, variance, gamma, beta, eps: EPS };
}

/** Mean beyond the first row of all, or of the chunk, and m2 of each chunk, as [splits, 2, C]. */
export function partialMoments(
  x: Float32Array | Float64Array,
  M: number,
  C: number,
  chunk: number,
  isByChunk = false,
): Float64Array {
  const partial: number[] = [];
  for (let first = 0; first < M; first += chunk) {
    const rows = Math.min(chunk, M - first);
    const origin = isByChunk ? first * C : 0;
    const { mean, variance } = momentsReference(x.subarray(first * C, (first + rows) * C), rows, C);
    partial.push(...mean.map((value, c) => value - x[origin + c]!), ...variance.map((value) => value * rows));
  }
  return Float64Array.from(partial);
}

/** Sums of dy · x̂ and dy over each chunk, as [splits, 2, C]. */
export function partialGradients(
  given: ReturnType<typeof inputs>,
  M: number,
  C: number,
  chunk: number,
): number[] {
  const partial: number[] = [];
  for (let first = 0; first < M; first += chunk) {
    const part = (values: Float32Array) => values.subarray(first * C, (first + chunk) * C);
    const sums = batchNormGradReference({ ...given, x: part(given.x) }, part(given.dy));
    partial.push(...sums.dgamma, ...sums.dbeta);
  }
  return partial;
}

/** A case, and the same with an operand of each kind in its epilogue. */
export function fused<P extends ParamValues & { C: number }>(example: Case<P>): Case<P>[] {
  const { name, params, reads } = example;
  const [y] = example.expected as [Float64Array];
  const [dense, channel] = [randomValues(y.length, 7), randomValues(params.C, 8)];
  return [
    example,
    {
      ...example,
      name: `${name}, with an epilogue`,
      reads: [...reads, channel, dense],
      epilogue: {
        expression: "max(value + e0 + e1, Vec(0))",
        operands: [
          { kind: "channel", type: "f32" },
          { kind: "dense", type: "f32" },
        ],
      },
      expected: [
        y.map((value, i) => Math.max(0, value + channel[i % params.C]! + dense[i]!)),
        ...example.expected.slice(1),
      ],
    },
  ];
}

export const largeMean = (M: number, C: number) => randomValues(M * C).map((value) => 1000 + 0.1 * value);
