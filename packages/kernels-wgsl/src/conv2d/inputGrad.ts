import { type Kernel, spread, type Variant } from "../launch/kernel.ts";
import direct from "./inputGradDirect.wgsl?raw";
import tiledSource from "./inputGradTiled.wgsl?raw";
import { inputGradTiles, inputGradVariants, preferredInputGrad } from "./inputGradTiles.ts";
import { type Conv2dParams, conv2dCost, conv2dParams, TILE, tiledOrDirect } from "./params.ts";

const tiled: Variant<Conv2dParams> = {
  name: "tiled",
  source: tiledSource,
  workgroups: (p) => spread(inputGradTiles(p, TILE, TILE)),
};

/** dx of `conv2d` from dy [N, P, Q, O] and w. Holes: as those of `conv2d`. */
export const conv2dInputGrad: Kernel<Conv2dParams> = {
  name: "conv2dInputGrad",
  reads: ["dy", "w", "e0", "e1"],
  writes: ["dx"],
  types: { e0: ["E0", "f32"], e1: ["E1", "f32"] },
  params: conv2dParams,
  variants: {
    plain: {
      name: "direct",
      source: direct,
      workgroups: ({ N, H, W, C }) => spread(Math.ceil((N * H * W * C) / 64)),
    },
    gpu: [...inputGradVariants, tiled],
    rasteriser: [tiled],
  },
  prefer: (p, adapter) => preferredInputGrad(p, adapter) ?? tiledOrDirect(p.C / p.groups),
  epilogue: ({ C }) => C,
  cost: conv2dCost,
};
