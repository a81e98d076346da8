import { type Adapter, type Kernel, type Splitting, spread, type Variant } from "../launch/kernel.ts";
import { LONG, MOST_PARTIALS } from "../launch/tiles.ts";
import { type Conv2dParams, conv2dCost, conv2dParams, TILE, tiledOrDirect, weights } from "./params.ts";
import direct from "./weightGradDirect.wgsl?raw";
import tiledSource from "./weightGradTiled.wgsl?raw";
import { preferredWeightGrad, splitTile, weightGradBlocks, weightGradVariants } from "./weightGradTiles.ts";

/** `splits`: parts of N·P·Q that are summed apart. */
export type Conv2dWeightGradParams = Conv2dParams & { splits: number };

const tiled: Variant<Conv2dWeightGradParams> = {
  name: "tiled",
  source: tiledSource,
  workgroups: (p) => spread(p.splits * weightGradBlocks(p, TILE, TILE)),
};

/**
 * dw of `conv2d` from x and dy [N, P, Q, O]: partial sums [splits, R, S, C / groups, O], which
 * `sumPartials` adds up; with one split they are dw itself, in float32.
 */
export const conv2dWeightGrad: Kernel<Conv2dWeightGradParams> = {
  name: "conv2dWeightGrad",
  reads: ["x", "dy"],
  writes: ["partial"],
  types: { partial: "f32" },
  params: { ...conv2dParams, splits: "u32" },
  variants: {
    plain: {
      name: "direct",
      source: direct,
      workgroups: (p) => spread(Math.ceil((p.splits * weights(p)) / 64)),
    },
    gpu: [...weightGradVariants, tiled],
    rasteriser: [tiled],
  },
  prefer: (p) => preferredWeightGrad(p) ?? tiledOrDirect(p.O / p.groups),
  cost: conv2dCost,
};

/** The rule of a GPU; a rasteriser has its own. */
const SPLITTING: Splitting<Conv2dWeightGradParams> = {
  busy: 384,
  shortest: 128,
  tiles: (p) => weightGradBlocks(p, ...splitTile(p)),
};

/**
 * The longest split that is summed in sequence, as over 16,640 terms rounding can add up to 2e-5. Where the partial sums of
 * so many splits are more than a device binds, splits are longer, up to LONG.
 */
const LONGEST = 2 ** 12;

/** Enough splits to keep an adapter busy where w is small, none shorter than pays, or so long that rounding adds up. */
export function weightGradSplits(
  p: Conv2dParams,
  { software, rasteriser }: Pick<Adapter, "software" | "rasteriser">,
): number {
  const added = software ? rasteriser?.variantsOf(conv2dWeightGrad)?.splitting : undefined;
  const { busy, shortest, tiles } = added ?? SPLITTING;
  const pixels = p.N * p.P * p.Q;
  const most = Math.floor(pixels / shortest);
  const bindable = Math.floor(MOST_PARTIALS / 4 / Math.max(1, weights(p)));
  const fewest = Math.min(Math.ceil(pixels / LONGEST), Math.max(Math.ceil(pixels / LONG), bindable));
  return Math.max(1, fewest, Math.min(Math.ceil(busy / Math.max(1, tiles({ ...p, splits: 1 }))), most));
}
