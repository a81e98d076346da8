import { type Kernel, spread } from "../kernel.ts";
import direct from "./inputGradDirect.wgsl?raw";
import lanes from "./inputGradLanes.wgsl?raw";
import lanes4 from "./inputGradLanes4.wgsl?raw";
import {
  COLS,
  type Conv2dParams,
  conv2dCost,
  conv2dParams,
  hasLanes,
  inFours,
  preferred,
  ROWS,
} from "./params.ts";

/** Pixels a stride apart share a tile, so each phase of the strides has its own. */
function tiles({ N, H, W, C, strideRows, strideCols, groups }: Conv2dParams): number {
  const pixels = N * Math.ceil(H / strideRows) * Math.ceil(W / strideCols);
  return strideRows * strideCols * Math.ceil(pixels / ROWS) * groups * Math.ceil(C / groups / COLS);
}

/** dx of `conv2d` from dy [N, P, Q, O] and w. Holes: `epilogue`, an expression in value, m and c; `Elem`. */
export const conv2dInputGrad: Kernel<Conv2dParams> = {
  name: "conv2dInputGrad",
  reads: ["dy", "w"],
  writes: ["dx"],
  params: conv2dParams,
  variants: [
    {
      name: "lanes4",
      source: lanes4,
      needs: ["subgroups"],
      fits: (p, adapter) => hasLanes(adapter) && inFours(p),
      workgroups: (p) => spread(tiles(p)),
    },
    {
      name: "lanes",
      source: lanes,
      needs: ["subgroups"],
      fits: (_, adapter) => hasLanes(adapter),
      workgroups: (p) => spread(tiles(p)),
    },
    {
      name: "direct",
      source: direct,
      workgroups: ({ N, H, W, C }) => spread(Math.ceil((N * H * W * C) / 64)),
    },
  ],
  prefer: (p, adapter) => preferred(p.C / p.groups, adapter),
  cost: conv2dCost,
};
