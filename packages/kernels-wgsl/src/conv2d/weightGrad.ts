import { type Kernel, spread, strided, type Variant } from "../launch/kernel.ts";
import { overLanes } from "../rasteriser/conv2d/variants.ts";
import lanes from "../rasteriser/conv2d/weightGradLanes.wgsl?raw";
import lanes4 from "../rasteriser/conv2d/weightGradLanes4.wgsl?raw";
import { type Conv2dParams, conv2dCost, conv2dParams, preferred, TILE, weights } from "./params.ts";
import sum from "./sumPartials.wgsl?raw";
import direct from "./weightGradDirect.wgsl?raw";
import tiledSource from "./weightGradTiled.wgsl?raw";

/** `splits`: stretches of N·P·Q that are summed apart. */
export type Conv2dWeightGradParams = Conv2dParams & { splits: number };

function tiles(p: Conv2dWeightGradParams, rows: number, cols: number): number {
  const { splits, R, S, C, O, groups } = p;
  return splits * R * S * groups * Math.ceil(C / groups / rows) * Math.ceil(O / groups / cols);
}

/** Workgroups where the rows of a tile are any weights of a stretch. */
const blocks = ({ splits, R, S, C, O, groups }: Conv2dWeightGradParams) =>
  splits * groups * Math.ceil((R * S * C) / groups / TILE) * Math.ceil(O / groups / TILE);

/** Where they are neighbours in memory, the channels of a row's taps count as those of one tap. */
function flattened<P extends Conv2dParams>(p: P): P {
  return p.groups === 1 && p.dilationCols === 1 ? { ...p, S: 1, C: p.S * p.C } : p;
}

const tiled: Variant<Conv2dWeightGradParams> = {
  name: "tiled",
  source: tiledSource,
  workgroups: (p) => spread(blocks(p)),
};

/**
 * dw of `conv2d` from x and dy [N, P, Q, O]: partial sums [splits, R, S, C / groups, O], which
 * `sumPartials` adds up; with one split they are dw itself, in float32.
 */
export const conv2dWeightGrad: Kernel<Conv2dWeightGradParams> = {
  name: "conv2dWeightGrad",
  reads: ["x", "dy"],
  writes: ["partial"],
  params: { ...conv2dParams, splits: "u32" },
  variants: {
    plain: {
      name: "direct",
      source: direct,
      workgroups: (p) => spread(Math.ceil((p.splits * weights(p)) / 64)),
    },
    gpu: [tiled],
    rasteriser: [
      ...overLanes<Conv2dWeightGradParams>({
        ...{ lanes4, lanes },
        operands: (p) => ({ x: p.N * p.H * p.W * p.C, dy: p.N * p.P * p.Q * p.O }),
        fits4: ({ Q }) => Q >= 4,
        tiles: (p, rows, cols) => tiles(flattened(p), rows, cols),
        tilesOfAny: (p, rows, cols) => tiles(p.C < rows ? flattened(p) : p, rows, cols),
        narrow: 3,
      }),
      tiled,
    ],
  },
  prefer: (p, adapter) => preferred(p.O / p.groups, adapter),
  cost: conv2dCost,
};

/** Add up partial [splits, length]. */
export const sumPartials: Kernel<{ length: number; splits: number }> = {
  name: "sumPartials",
  reads: ["partial"],
  writes: ["y"],
  params: { length: "u32", splits: "u32" },
  variants: { plain: { name: "strided", source: sum, workgroups: ({ length }) => strided(length, 64) } },
  cost: ({ length, splits }) => ({ flops: length * splits, bytes: 4 * length * (splits + 1) }),
};

const BUSY = 256;
const SHORTEST = 256;

/** Enough stretches to keep an adapter busy where w is small, none shorter than pays. */
export function weightGradSplits(p: Conv2dParams): number {
  const tiles = Math.ceil(weights(p) / 1024);
  const stretches = Math.floor((p.N * p.P * p.Q) / SHORTEST);
  return Math.max(1, Math.min(Math.ceil(BUSY / Math.max(1, tiles)), stretches));
}
