import { type Kernel, spread } from "../kernel.ts";
import direct from "./direct.wgsl?raw";
import { type Conv2dParams, conv2dCost, conv2dParams } from "./params.ts";

/**
 * Cross-correlation of x [N, H, W, C] with w [R, S, C / groups, O].
 *
 * Holes: `epilogue`, an expression in value, m and o, which may read `b`; `Elem`.
 */
export const conv2d: Kernel<Conv2dParams> = {
  name: "conv2d",
  reads: ["x", "w", "b"],
  writes: ["y"],
  params: conv2dParams,
  variants: [
    {
      name: "direct",
      source: direct,
      workgroups: ({ N, P, Q, O }) => spread(Math.ceil((N * P * Q * O) / 64)),
    },
  ],
  cost: conv2dCost,
};
