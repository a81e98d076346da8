import { forwardLength, forwardSplit, forwardTerms, forwardTiles } from "../conv2d/forwardTiles.ts";
import inputGradSource from "../conv2d/inputGradMatrix.wgsl?raw";
import {
  inputGradLength,
  inputGradSplit,
  inputGradTerms,
  inputGradTiles,
  isWalkable,
} from "../conv2d/inputGradTiles.ts";
import forwardSource from "../conv2d/matrix.wgsl?raw";
import type { Conv2dParams } from "../conv2d/params.ts";
import { hasVec4Channels, tilesOf } from "../conv2d/tiles.ts";
import weightGradSource from "../conv2d/weightGradMatrix.wgsl?raw";
import { weightGradBlocks } from "../conv2d/weightGradTiles.ts";
import { type Holes, type RoleVariants, spread, type Variant } from "../launch/kernel.ts";
import {
  hasMatrices,
  MATRIX_FEATURES,
  MATRIX_NAMES,
  MATRIX_SPLIT,
  MATRIX_TILES,
  type MatrixTileName,
  matrixTileFor,
} from "../launch/matrices.ts";
import { partsOf, splitsOf } from "../launch/tiles.ts";

type WithSplits = Conv2dParams & { splits: number };

/** Variants of a shader, by its workgroups for a tile. */
const variantsOf = <P extends Conv2dParams>(
  source: string,
  tiles: (p: P, tile: Holes) => number,
  fits: (p: P) => boolean,
): Variant<P>[] =>
  MATRIX_NAMES.map((name) => ({
    name,
    source,
    holes: MATRIX_TILES[name],
    needs: MATRIX_FEATURES,
    fits: (p, adapter, holes) => fits(p) && hasMatrices(MATRIX_TILES[name], adapter, holes),
    workgroups: (p, holes) => spread(tiles(p, holes)),
  }));

const isSplitTile = ({ name }: { name: string }): boolean => name === MATRIX_SPLIT;

/** The tile, with k split where its workgroups are too few or k is long. */
function withSplits(
  fitting: MatrixTileName,
  tilesOf: (tile: Holes) => number,
  terms: number,
  length: number,
): string {
  const name = partsOf(terms, length) > 1 ? MATRIX_SPLIT : fitting;
  const isSplit = name === MATRIX_SPLIT && splitsOf(tilesOf(MATRIX_TILES[name]), terms, length) > 1;
  return isSplit ? `${name} split` : name;
}

const forwardCount = (p: Conv2dParams, tile: Holes) => tilesOf(forwardTiles, p, tile);
const forwardVariants = variantsOf(forwardSource, forwardCount, hasVec4Channels);

export const forward: RoleVariants<Conv2dParams> = {
  variants: [...forwardVariants, ...forwardVariants.filter(isSplitTile).map(forwardSplit)],
  prefer(p, adapter, holes) {
    if (!hasVec4Channels(p)) return undefined;
    const name = matrixTileFor(p.O / p.groups, (tile) => forwardCount(p, tile), adapter, holes);
    return name && withSplits(name, (tile) => forwardCount(p, tile), forwardTerms(p), forwardLength(p));
  },
};

const inputGradCount = (p: Conv2dParams, tile: Holes) => tilesOf(inputGradTiles, p, tile);
const inputGradFits = (p: Conv2dParams) => hasVec4Channels(p) && isWalkable(p);
const inputGradVariants = variantsOf(inputGradSource, inputGradCount, inputGradFits);

export const inputGrad: RoleVariants<Conv2dParams> = {
  variants: [...inputGradVariants, ...inputGradVariants.filter(isSplitTile).map(inputGradSplit)],
  prefer(p, adapter, holes) {
    if (!inputGradFits(p)) return undefined;
    const name = matrixTileFor(p.C / p.groups, (tile) => inputGradCount(p, tile), adapter, holes);
    return name && withSplits(name, (tile) => inputGradCount(p, tile), inputGradTerms(p), inputGradLength(p));
  },
};

const weightGradCount = (p: WithSplits, tile: Holes) => p.splits * tilesOf(weightGradBlocks, p, tile);

export const weightGrad: RoleVariants<WithSplits> = {
  variants: variantsOf(weightGradSource, weightGradCount, hasVec4Channels),
  prefer: (p, adapter, holes) =>
    hasVec4Channels(p)
      ? matrixTileFor(p.O / p.groups, (tile) => weightGradCount(p, tile), adapter, holes)
      : undefined,
};
