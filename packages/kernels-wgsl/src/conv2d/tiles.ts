import type { Adapter, Holes, Variant } from "../launch/kernel.ts";
import {
  COLUMNS_16,
  type Ladder,
  multiplesOf4,
  partsOf,
  SPLIT,
  splitsOf,
  TILES,
  type Tile,
  tileFor,
} from "../launch/tiles.ts";
import type { Conv2dParams } from "./params.ts";

export const hasVec4Channels = ({ C, O, groups }: Conv2dParams): boolean =>
  multiplesOf4(C / groups, O / groups);

/** Workgroups of a launch whose tiles have so many rows and columns. */
export type Count = (p: Conv2dParams, rows: number, cols: number) => number;

export const tilesOf = (count: Count, p: Conv2dParams, { TILE_M, TILE_N }: Holes): number =>
  count(p, Number(TILE_M), Number(TILE_N));

/** A variant for each rung of a ladder, and the tile of 16 columns. */
export const each = <P extends Conv2dParams>(
  ladder: Ladder,
  make: (name: string, tile: Tile) => Variant<P>,
): Variant<P>[] => [...ladder.map(([name]) => name), COLUMNS_16].map((name) => make(name, TILES[name]));

/** Name of the variant for a GPU, where channels are in fours: a tile, with k split where its workgroups are too few or k is long. */
export const preferTile =
  (
    ladder: Ladder,
    tiles: Count,
    terms: (p: Conv2dParams) => number,
    columnsOf: (p: Conv2dParams) => number,
    lengthOf: (p: Conv2dParams) => number,
  ) =>
  (p: Conv2dParams, adapter: Adapter): string | undefined => {
    if (!hasVec4Channels(p)) return undefined;
    const count = (tile: Tile) => tilesOf(tiles, p, tile);
    const name = tileFor(ladder, columnsOf(p) / p.groups, count, adapter);
    const mayBeSplit = name === SPLIT || partsOf(terms(p), lengthOf(p)) > 1;
    return mayBeSplit && splitsOf(count(TILES[SPLIT]), terms(p), lengthOf(p)) > 1 ? `${SPLIT} split` : name;
  };
