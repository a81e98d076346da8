import type { Kernel } from "../launch/kernel.ts";
import avgPoolSource from "./avgPool.wgsl?raw";
import { byChannels, inputs, outputStrips, outputs, type PoolParams, params } from "./channels.ts";
import maxPoolSource from "./maxPool.wgsl?raw";

/** Largest element of each window. */
export const maxPool: Kernel<PoolParams> = {
  name: "maxPool",
  reads: ["x"],
  writes: ["y"],
  params,
  variants: byChannels(maxPoolSource, { Bits: "vec4u" }, ({ N, P, Q, C }) => N * P * Math.ceil(Q / 16) * C),
  cost: (p) => ({ flops: outputs(p) * p.R * p.S, bytes: 4 * (inputs(p) + outputs(p)) }),
};

/**
 * Mean of each window.
 *
 * Holes: `COUNT_PAD`, whether the window's elements outside the image count.
 */
export const avgPool: Kernel<PoolParams> = {
  name: "avgPool",
  reads: ["x"],
  writes: ["y"],
  params,
  variants: byChannels(avgPoolSource, {}, outputStrips),
  cost: (p) => ({ flops: outputs(p) * p.R * p.S, bytes: 4 * (inputs(p) + outputs(p)) }),
};
