import type { Kernel } from "../launch/kernel.ts";
import { vectorized } from "../launch/vectorized.ts";
import momentumSource from "./momentum.wgsl?raw";
import source from "./sgd.wgsl?raw";

export type SgdParams = Record<"length" | "lr" | "weightDecay", number>;
export type MomentumParams = SgdParams & Record<"momentum", number>;

/**
 * One step of gradient descent: w −= lr · (dw + weightDecay · w).
 *
 * Holes: `factor`, what dw is multiplied by, in place of 1: `unscale[0]`, where gradients are of a scaled loss.
 */
export const sgd: Kernel<SgdParams> = {
  name: "sgd",
  reads: ["dw", "unscale"],
  writes: ["w"],
  types: { dw: "f32", unscale: "f32", w: "f32" },
  params: { length: "u32", lr: "f32", weightDecay: "f32" },
  variants: vectorized(source),
  cost: ({ length }) => ({ flops: 4 * length, bytes: 12 * length }),
};

/**
 * One step of gradient descent with momentum, m its running sum.
 *
 * Holes: `NESTEROV`, whether the step looks ahead along m; `factor`, as `sgd` has it.
 */
export const momentum: Kernel<MomentumParams> = {
  name: "momentum",
  reads: ["dw", "unscale"],
  writes: ["w", "m"],
  types: { dw: "f32", unscale: "f32", w: "f32", m: "f32" },
  params: { length: "u32", lr: "f32", momentum: "f32", weightDecay: "f32" },
  variants: vectorized(momentumSource),
  cost: ({ length }) => ({ flops: 6 * length, bytes: 20 * length }),
};

/** The definition, in float64; without momentum, `m` stays out of it. */
export function sgdReference(
  dw: ArrayLike<number>,
  w: ArrayLike<number>,
  m: ArrayLike<number>,
  { lr, weightDecay, momentum = 0 }: SgdParams & { momentum?: number },
  nesterov = false,
): { w: Float64Array; m: Float64Array } {
  const after = { w: Float64Array.from(w), m: Float64Array.from(m) };
  for (let i = 0; i < w.length; i++) {
    const g = dw[i]! + weightDecay * w[i]!;
    after.m[i] = momentum * m[i]! + g;
    after.w[i]! -= lr * (nesterov ? g + momentum * after.m[i]! : after.m[i]!);
  }
  return after;
}
