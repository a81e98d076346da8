import type { Kernel } from "../launch/kernel.ts";
import { vectorized } from "../launch/vectorized.ts";
import source from "./adam.wgsl?raw";

export type AdamParams = Record<
  "length" | "beta1" | "rest1" | "beta2" | "rest2" | "stepSize" | "spread" | "eps" | "l2" | "shrink",
  number
>;

/**
 * One step of Adam, or of AdamW where `shrink` takes the place of `l2`; m and v are running means of g and g².
 *
 * Holes: `factor`, what dw is multiplied by, in place of 1: `unscale[0]`, where gradients are of a scaled loss.
 */
export const adam: Kernel<AdamParams> = {
  name: "adam",
  reads: ["dw", "unscale"],
  writes: ["w", "m", "v"],
  types: { dw: "f32", unscale: "f32", w: "f32", m: "f32", v: "f32" },
  params: {
    length: "u32",
    beta1: "f32",
    rest1: "f32",
    beta2: "f32",
    rest2: "f32",
    stepSize: "f32",
    spread: "f32",
    eps: "f32",
    l2: "f32",
    shrink: "f32",
  },
  variants: vectorized(source),
  cost: ({ length }) => ({ flops: 15 * length, bytes: 28 * length }),
};

export interface AdamOptions {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  /** AdamW's decay, which goes straight to the weights, in place of an L2 term in the gradient. */
  readonly decoupled: boolean;
}

/** Parameters of step `step`, counted from 1, its bias corrections in float64. */
export function adamParams(
  length: number,
  step: number,
  { lr, betas: [beta1, beta2], eps, weightDecay, decoupled }: AdamOptions,
): AdamParams {
  return {
    length,
    beta1,
    rest1: 1 - beta1,
    beta2,
    rest2: 1 - beta2,
    stepSize: lr / (1 - beta1 ** step),
    spread: 1 / Math.sqrt(1 - beta2 ** step),
    eps,
    l2: decoupled ? 0 : weightDecay,
    shrink: decoupled ? lr * weightDecay : 0,
  };
}

/** The definition, in float64. */
export function adamReference(
  dw: ArrayLike<number>,
  w: ArrayLike<number>,
  m: ArrayLike<number>,
  v: ArrayLike<number>,
  step: number,
  { lr, betas: [beta1, beta2], eps, weightDecay, decoupled }: AdamOptions,
): { w: Float64Array; m: Float64Array; v: Float64Array } {
  const after = { w: Float64Array.from(w), m: Float64Array.from(m), v: Float64Array.from(v) };
  for (let i = 0; i < w.length; i++) {
    const g = dw[i]! + (decoupled ? 0 : weightDecay * w[i]!);
    if (decoupled) after.w[i]! -= lr * weightDecay * w[i]!;
    after.m[i] = beta1 * m[i]! + (1 - beta1) * g;
    after.v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
    const mean = after.m[i]! / (1 - beta1 ** step);
    const square = after.v[i]! / (1 - beta2 ** step);
    after.w[i]! -= (lr * mean) / (Math.sqrt(square) + eps);
  }
  return after;
}
