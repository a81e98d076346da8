import { spread, type Variant } from "../launch/kernel.ts";
import { COLUMNS_16, hasRoom, type Ladder, prefers16Columns, type Tile } from "../launch/tiles.ts";
import type { Conv2dParams } from "./params.ts";
import { each, hasVec4Channels, tilesOf } from "./tiles.ts";
import source from "./weightGradTile.wgsl?raw";

/** Workgroups of a split of the weight gradient, where the rows of a tile are any weights. */
export const weightGradBlocks = ({ R, S, C, O, groups }: Conv2dParams, rows: number, cols: number): number =>
  groups * Math.ceil((R * S * C) / groups / rows) * Math.ceil(O / groups / cols);

const weightGradVariant = (name: string, tile: Tile): Variant<Conv2dParams & { splits: number }> => ({
  name,
  source,
  holes: tile,
  fits: (p, adapter) => hasVec4Channels(p) && hasRoom(tile, adapter),
  workgroups: (p, holes) => spread(p.splits * tilesOf(weightGradBlocks, p, holes)),
});

/** Workgroups from which a tile pays on an H200, by the times of all convolutions of a ResNet-50 at 32 images. */
const WEIGHT_GRAD: Ladder = [
  ["128×64×16", 0],
  ["64×64×16", 0],
];

export const weightGradVariants = each(WEIGHT_GRAD, weightGradVariant);

export function preferredWeightGrad(p: Conv2dParams): string | undefined {
  if (!hasVec4Channels(p)) return undefined;
  if (prefers16Columns(p.O / p.groups)) return COLUMNS_16;
  return (p.R * p.S * p.C) / p.groups <= 64 ? "64×64×16" : "128×64×16";
}

/** Rows and columns of the tiles by which the weight gradient is divided into splits. */
export function splitTile({ O, groups }: Conv2dParams): readonly [rows: number, cols: number] {
  const outputs = O / groups;
  return prefers16Columns(outputs) ? [64, 16] : [128, outputs <= 64 ? 64 : 128];
}
