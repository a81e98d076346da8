import { type Adapter, type Holes, type StagedVariant, spread, type Variant } from "../launch/kernel.ts";
import {
  hasRoom,
  inFours,
  isNarrow,
  type Ladder,
  NARROW,
  partsOf,
  SPLIT,
  splitsOf,
  TILES,
  type Tile,
  tileFor,
} from "../launch/tiles.ts";
import { splitVariant } from "../splitK/index.ts";
import inputGradSource from "./inputGradTile.wgsl?raw";
import { type Conv2dParams, conv2dCost, conv2dParams } from "./params.ts";
import forwardSource from "./tile.wgsl?raw";
import weightGradSource from "./weightGradTile.wgsl?raw";

export const isInFours = ({ C, O, groups }: Conv2dParams): boolean => inFours(C / groups, O / groups);

/** Workgroups of the forward pass. */
export const forwardTiles = ({ N, P, Q, O, groups }: Conv2dParams, rows: number, cols: number): number =>
  Math.ceil((N * P * Q) / rows) * groups * Math.ceil(O / groups / cols);

/** Workgroups of the input gradient. Pixels a stride apart share a tile, so each phase of the strides has its own. */
export function inputGradTiles(p: Conv2dParams, rows: number, cols: number): number {
  const { N, H, W, C, strideRows, strideCols, groups } = p;
  const pixels = N * Math.ceil(H / strideRows) * Math.ceil(W / strideCols);
  return strideRows * strideCols * Math.ceil(pixels / rows) * groups * Math.ceil(C / groups / cols);
}

/** Workgroups of a stretch of the weight gradient, where the rows of a tile are any weights. */
export const weightGradBlocks = ({ R, S, C, O, groups }: Conv2dParams, rows: number, cols: number): number =>
  groups * Math.ceil((R * S * C) / groups / rows) * Math.ceil(O / groups / cols);

type Count = (p: Conv2dParams, rows: number, cols: number) => number;

export const tilesOf = (count: Count, p: Conv2dParams, { TILE_M, TILE_N }: Holes): number =>
  count(p, Number(TILE_M), Number(TILE_N));

const forwardVariant = (name: string, tile: Tile): Variant<Conv2dParams> => ({
  name,
  source: forwardSource,
  holes: tile,
  fits: (p, adapter) => isInFours(p) && hasRoom(tile, adapter),
  workgroups: (p, holes) => spread(tilesOf(forwardTiles, p, holes)),
});

const inputGradVariant = (name: string, tile: Tile): Variant<Conv2dParams> => ({
  name,
  source: inputGradSource,
  holes: tile,
  fits: (p, adapter) => isInFours(p) && isWalkable(p) && hasRoom(tile, adapter, true),
  workgroups: (p, holes) => spread(tilesOf(inputGradTiles, p, holes)),
});

/** True if the taps that reach a pixel are a stride apart, and lead to neighbouring outputs. */
export const isWalkable = ({ strideRows, strideCols, dilationRows, dilationCols }: Conv2dParams): boolean =>
  (strideRows === 1 || dilationRows === 1) && (strideCols === 1 || dilationCols === 1);

const weightGradVariant = (name: string, tile: Tile): Variant<Conv2dParams & { splits: number }> => ({
  name,
  source: weightGradSource,
  holes: tile,
  fits: (p, adapter) => isInFours(p) && hasRoom(tile, adapter),
  workgroups: (p, holes) => spread(p.splits * tilesOf(weightGradBlocks, p, holes)),
});

/** Workgroups from which a tile pays on an H200, by the times of all convolutions of a ResNet-50 at 32 images. */
const FORWARD: Ladder = [
  ["128×64×16", 224],
  ["64×64×32", 224],
  ["32×64×32", 0],
];
const INPUT_GRAD: Ladder = [
  ["128×64×16", 224],
  ["64×64×16", 224],
  ["32×64×32", 0],
];
const WEIGHT_GRAD: Ladder = [
  ["128×64×16", 0],
  ["64×64×16", 0],
];

const each = <P extends Conv2dParams>(
  ladder: Ladder,
  make: (name: string, tile: Tile) => Variant<P>,
): Variant<P>[] => [...ladder.map(([name]) => name), NARROW].map((name) => make(name, TILES[name]));

const splitTile = TILES[SPLIT];

/** Parts that both directions with an epilogue share. */
const shared = { params: conv2dParams, cost: conv2dCost };

/** Terms of a sum of the forward pass. */
export const forwardTerms = ({ R, S, C, groups }: Conv2dParams): number => (R * S * C) / groups;

/** Terms of a sum of the input gradient; where phases of the strides have different ones, their mean. */
export const inputGradTerms = ({ R, S, O, groups, strideRows, strideCols }: Conv2dParams): number =>
  (R * S * O) / groups / strideRows / strideCols;

/** Elements of the result of each. */
export const forwardLength = ({ N, P, Q, O }: Conv2dParams): number => N * P * Q * O;
export const inputGradLength = ({ N, H, W, C }: Conv2dParams): number => N * H * W * C;

/** A tile of the forward pass with k split. */
export const forwardSplit = (variant: Variant<Conv2dParams>): StagedVariant<Conv2dParams> =>
  splitVariant<Conv2dParams>({
    kernel: { name: "conv2d", reads: ["x", "w", "e0", "e1"], writes: ["y"], ...shared },
    variant,
    tiles: (p) => tilesOf(forwardTiles, p, variant.holes ?? {}),
    k: forwardTerms,
    length: forwardLength,
    channels: ({ O }) => O,
  });

/** A tile of the input gradient with k split. */
export const inputGradSplit = (variant: Variant<Conv2dParams>): StagedVariant<Conv2dParams> =>
  splitVariant<Conv2dParams>({
    kernel: { name: "conv2dInputGrad", reads: ["dy", "w", "e0", "e1"], writes: ["dx"], ...shared },
    variant,
    tiles: (p) => tilesOf(inputGradTiles, p, variant.holes ?? {}),
    k: inputGradTerms,
    length: inputGradLength,
    channels: ({ C }) => C,
  });

export const forwardVariants = [
  ...each(FORWARD, forwardVariant),
  forwardSplit(forwardVariant(SPLIT, splitTile)),
];

export const inputGradVariants = [
  ...each(INPUT_GRAD, inputGradVariant),
  inputGradSplit(inputGradVariant(SPLIT, splitTile)),
];

export const weightGradVariants = each(WEIGHT_GRAD, weightGradVariant);

/** Name of the variant for a GPU, where channels are in fours: a tile, with k split where its workgroups are too few or k is long. */
const preferred =
  (
    ladder: Ladder,
    tiles: Count,
    terms: (p: Conv2dParams) => number,
    columnsOf: (p: Conv2dParams) => number,
    lengthOf: (p: Conv2dParams) => number,
  ) =>
  (p: Conv2dParams, adapter: Adapter): string | undefined => {
    if (!isInFours(p)) return undefined;
    const count = (tile: Tile) => tilesOf(tiles, p, tile);
    const name = tileFor(ladder, columnsOf(p) / p.groups, count, adapter);
    const mayBeSplit = name === SPLIT || partsOf(terms(p), lengthOf(p)) > 1;
    return mayBeSplit && splitsOf(count(splitTile), terms(p), lengthOf(p)) > 1 ? `${SPLIT} split` : name;
  };

export const preferredForward = preferred(FORWARD, forwardTiles, forwardTerms, ({ O }) => O, forwardLength);
export const preferredInputGrad = preferred(
  INPUT_GRAD,
  inputGradTiles,
  inputGradTerms,
  ({ C }) => C,
  inputGradLength,
);

export function preferredWeightGrad(p: Conv2dParams): string | undefined {
  if (!isInFours(p)) return undefined;
  if (isNarrow(p.O / p.groups)) return NARROW;
  return (p.R * p.S * p.C) / p.groups <= 64 ? "64×64×16" : "128×64×16";
}

/** Rows and columns of the tiles by which the weight gradient is divided into stretches. */
export function stretchTile({ O, groups }: Conv2dParams): readonly [rows: number, cols: number] {
  const outputs = O / groups;
  return isNarrow(outputs) ? [64, 16] : [128, outputs <= 64 ? 64 : 128];
}
