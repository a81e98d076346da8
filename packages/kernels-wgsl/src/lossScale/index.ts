import type { Kernel } from "../launch/kernel.ts";
import source from "./lossScale.wgsl?raw";

export type LossScaleParams = Record<"interval" | "most", number>;

/**
 * Factor of the gradients, so that their norm is at most `most`, or 0 where one of them is not
 * finite; and the scale of the next loss: half of what it was in that case, twice as much after `interval` steps
 * without it.
 */
export const lossScale: Kernel<LossScaleParams> = {
  name: "lossScale",
  reads: ["squares"],
  writes: ["unscale", "scale", "good"],
  types: { squares: "f32", unscale: "f32", scale: "f32", good: "i32" },
  params: { interval: "u32", most: "f32" },
  variants: { plain: { name: "scalar", source, workgroups: () => [1, 1, 1] } },
};

/** The definition, in float64. */
export function lossScaleReference(
  squares: number,
  scale: number,
  good: number,
  { interval, most }: LossScaleParams,
): { unscale: number; scale: number; good: number } {
  if (!Number.isFinite(squares)) return { unscale: 0, scale: Math.max(scale / 2, 2 ** -24), good: 0 };
  const grows = good + 1 >= interval;
  return {
    unscale: Math.min(1, most / (Math.sqrt(squares) / scale + 1e-6)) / scale,
    scale: grows ? Math.min(2 * scale, 2 ** 24) : scale,
    good: grows ? 0 : good + 1,
  };
}
