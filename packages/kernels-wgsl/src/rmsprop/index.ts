import type { Kernel } from "../launch/kernel.ts";
import { vectorized } from "../launch/vectorized.ts";
import source from "./rmsprop.wgsl?raw";

export type RmspropParams = Record<"length" | "lr" | "alpha" | "rest" | "eps" | "momentum" | "l2", number>;

/**
 * One step of RMSprop; v is a running mean of g², m the momentum.
 *
 * Holes: `factor`, what dw is multiplied by, in place of 1: `unscale[0]`, where gradients are of a scaled loss.
 */
export const rmsprop: Kernel<RmspropParams> = {
  name: "rmsprop",
  reads: ["dw", "unscale"],
  writes: ["w", "m", "v"],
  types: { dw: "f32", unscale: "f32", w: "f32", m: "f32", v: "f32" },
  params: { length: "u32", lr: "f32", alpha: "f32", rest: "f32", eps: "f32", momentum: "f32", l2: "f32" },
  variants: vectorized(source),
  cost: ({ length }) => ({ flops: 12 * length, bytes: 28 * length }),
};

/** The definition, in float64. */
export function rmspropReference(
  dw: ArrayLike<number>,
  w: ArrayLike<number>,
  m: ArrayLike<number>,
  v: ArrayLike<number>,
  { lr, alpha, rest, eps, momentum, l2 }: RmspropParams,
): { w: Float64Array; m: Float64Array; v: Float64Array } {
  const after = { w: Float64Array.from(w), m: Float64Array.from(m), v: Float64Array.from(v) };
  for (let i = 0; i < w.length; i++) {
    const g = dw[i]! + l2 * w[i]!;
    after.v[i] = alpha * v[i]! + rest * g * g;
    after.m[i] = momentum * m[i]! + g / (Math.sqrt(after.v[i]!) + eps);
    after.w[i]! -= lr * after.m[i]!;
  }
  return after;
}
