import { type Kernel, spread, type Variant } from "../launch/kernel.ts";
import lanes from "../rasteriser/conv2d/lanes.wgsl?raw";
import lanes4 from "../rasteriser/conv2d/lanes4.wgsl?raw";
import { overLanes } from "../rasteriser/conv2d/variants.ts";
import direct from "./direct.wgsl?raw";
import { type Conv2dParams, conv2dCost, conv2dParams, preferred, TILE, weights } from "./params.ts";
import tiledSource from "./tiled.wgsl?raw";

const tiles = ({ N, P, Q, O, groups }: Conv2dParams, rows: number, cols: number) =>
  Math.ceil((N * P * Q) / rows) * groups * Math.ceil(O / groups / cols);

const tiled: Variant<Conv2dParams> = {
  name: "tiled",
  source: tiledSource,
  workgroups: (p) => spread(tiles(p, TILE, TILE)),
};

/**
 * Cross-correlation of x [N, H, W, C] with w [R, S, C / groups, O].
 *
 * Holes: `epilogue`, an expression in value, i and o, which may read e0 and e1, of types `E0` and `E1`; `Elem`.
 */
export const conv2d: Kernel<Conv2dParams> = {
  name: "conv2d",
  reads: ["x", "w", "e0", "e1"],
  writes: ["y"],
  params: conv2dParams,
  variants: {
    plain: {
      name: "direct",
      source: direct,
      workgroups: ({ N, P, Q, O }) => spread(Math.ceil((N * P * Q * O) / 64)),
    },
    gpu: [tiled],
    rasteriser: [
      ...overLanes({
        ...{ lanes4, lanes, tiles },
        operands: (p) => ({ x: p.N * p.H * p.W * p.C, w: weights(p) }),
        result: (p) => [p.N * p.P * p.Q * p.O, p.O],
      }),
      tiled,
    ],
  },
  prefer: (p, adapter) => preferred(p.O / p.groups, adapter),
  epilogue: ({ O }) => O,
  linearIn: () => "w",
  cost: conv2dCost,
};
