import type { Kernel } from "../launch/kernel.ts";
import { byChannels, inputs, outputStrips, outputs, type PoolParams, params } from "./channels.ts";
import source from "./maxPoolIndex.wgsl?raw";

/** Largest element of each window, and where in the image it is. */
export const maxPoolIndex: Kernel<PoolParams> = {
  name: "maxPoolIndex",
  reads: ["x"],
  writes: ["y", "index"],
  types: { index: "u32" },
  params,
  variants: byChannels(source, { Bits: "vec4u" }, outputStrips),
  cost: (p) => ({ flops: outputs(p) * p.R * p.S, bytes: 4 * (inputs(p) + 2 * outputs(p)) }),
};
