import type { Kernel } from "../launch/kernel.ts";
import avgPoolGradSource from "./avgPoolGrad.wgsl?raw";
import { byChannels, inputStrips, inputs, outputs, type PoolParams, params } from "./channels.ts";
import maxPoolGradSource from "./maxPoolGrad.wgsl?raw";

/** dx from dy and the index of `maxPoolIndex`. */
export const maxPoolGrad: Kernel<PoolParams> = {
  name: "maxPoolGrad",
  reads: ["dy", "index"],
  writes: ["dx"],
  types: { index: "u32" },
  params,
  variants: byChannels(maxPoolGradSource, { Bits: "vec4u" }, inputStrips),
  cost: (p) => ({ flops: outputs(p), bytes: 4 * (inputs(p) + 2 * outputs(p)) }),
};

/** Dilation has to be 1. Holes: `COUNT_PAD`, as for `avgPool`. */
export const avgPoolGrad: Kernel<PoolParams> = {
  name: "avgPoolGrad",
  reads: ["dy"],
  writes: ["dx"],
  params,
  variants: byChannels(avgPoolGradSource, {}, inputStrips),
  cost: (p) => ({ flops: outputs(p) * p.R * p.S, bytes: 4 * (inputs(p) + outputs(p)) }),
};
