import { type Kernel, spread, type Variant } from "../launch/kernel.ts";
import direct from "./direct.wgsl?raw";
import { forwardTiles, forwardVariants, preferredForward } from "./forwardTiles.ts";
import { type Conv2dParams, conv2dCost, conv2dParams, TILE, tiledOrDirect } from "./params.ts";
import tiledSource from "./tiled.wgsl?raw";

const tiled: Variant<Conv2dParams> = {
  name: "tiled",
  source: tiledSource,
  workgroups: (p) => spread(forwardTiles(p, TILE, TILE)),
};

/**
 * Cross-correlation of x [N, H, W, C] with w [R, S, C / groups, O].
 *
 * Holes: `Elem`; it may have an epilogue.
 */
export const conv2d: Kernel<Conv2dParams> = {
  name: "conv2d",
  reads: ["x", "w", "e0", "e1"],
  writes: ["y"],
  types: { e0: ["E0", "f32"], e1: ["E1", "f32"] },
  params: conv2dParams,
  variants: {
    plain: {
      name: "direct",
      source: direct,
      workgroups: ({ N, P, Q, O }) => spread(Math.ceil((N * P * Q * O) / 64)),
    },
    gpu: [...forwardVariants, tiled],
    rasteriser: [tiled],
  },
  prefer: (p, adapter) => preferredForward(p, adapter) ?? tiledOrDirect(p.O / p.groups),
  epilogue: ({ O }) => O,
  linearIn: () => "w",
  cost: conv2dCost,
};
