import { type Kernel, spread } from "../kernel.ts";
import direct from "./inputGradDirect.wgsl?raw";
import { type Conv2dParams, conv2dCost, conv2dParams } from "./params.ts";

/** dx of `conv2d` from dy [N, P, Q, O] and w. Holes: `epilogue`, an expression in value, m and c; `Elem`. */
export const conv2dInputGrad: Kernel<Conv2dParams> = {
  name: "conv2dInputGrad",
  reads: ["dy", "w"],
  writes: ["dx"],
  params: conv2dParams,
  variants: [
    {
      name: "direct",
      source: direct,
      workgroups: ({ N, H, W, C }) => spread(Math.ceil((N * H * W * C) / 64)),
    },
  ],
  cost: conv2dCost,
};
