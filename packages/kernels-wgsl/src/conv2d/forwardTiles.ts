import { type StagedVariant, spread, type Variant } from "../launch/kernel.ts";
import { hasRoom, type Ladder, SPLIT, TILES, type Tile } from "../launch/tiles.ts";
import { splitVariant } from "../splitK/index.ts";
import { type Conv2dParams, conv2dCost, conv2dParams } from "./params.ts";
import source from "./tile.wgsl?raw";
import { each, hasVec4Channels, preferTile, tilesOf } from "./tiles.ts";

/** Workgroups of the forward pass. */
export const forwardTiles = ({ N, P, Q, O, groups }: Conv2dParams, rows: number, cols: number): number =>
  Math.ceil((N * P * Q) / rows) * groups * Math.ceil(O / groups / cols);

export const forwardVariant = (name: string, tile: Tile): Variant<Conv2dParams> => ({
  name,
  source,
  holes: tile,
  fits: (p, adapter) => hasVec4Channels(p) && hasRoom(tile, adapter),
  workgroups: (p, holes) => spread(tilesOf(forwardTiles, p, holes)),
});

/** Workgroups from which a tile pays on an H200, by the times of all convolutions of a ResNet-50 at 32 images. */
export const FORWARD: Ladder = [
  ["128×64×16", 224],
  ["64×64×32", 224],
  ["32×64×32", 0],
];

/** Terms of a sum of the forward pass. */
export const forwardTerms = ({ R, S, C, groups }: Conv2dParams): number => (R * S * C) / groups;

/** Elements of the result. */
export const forwardLength = ({ N, P, Q, O }: Conv2dParams): number => N * P * Q * O;

/** A tile of the forward pass with k split. */
export const forwardSplit = (variant: Variant<Conv2dParams>): StagedVariant<Conv2dParams> =>
  splitVariant<Conv2dParams>({
    kernel: {
      name: "conv2d",
      reads: ["x", "w", "e0", "e1"],
      writes: ["y"],
      params: conv2dParams,
      cost: conv2dCost,
    },
    variant,
    tiles: (p) => tilesOf(forwardTiles, p, variant.holes ?? {}),
    k: forwardTerms,
    length: forwardLength,
    channels: ({ O }) => O,
  });

export const forwardVariants = [
  ...each(FORWARD, forwardVariant),
  forwardSplit(forwardVariant(SPLIT, TILES[SPLIT])),
];

export const preferredForward = preferTile(FORWARD, forwardTiles, forwardTerms, ({ O }) => O, forwardLength);
