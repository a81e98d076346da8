import { type StagedVariant, spread, type Variant } from "../launch/kernel.ts";
import { hasRoom, type Ladder, SPLIT, TILES, type Tile } from "../launch/tiles.ts";
import { splitVariant } from "../splitK/index.ts";
import source from "./inputGradTile.wgsl?raw";
import { type Conv2dParams, conv2dCost, conv2dParams } from "./params.ts";
import { each, hasVec4Channels, preferTile, tilesOf } from "./tiles.ts";

/** Workgroups of the input gradient. Pixels a stride apart share a tile, so each phase of the strides has its own. */
export function inputGradTiles(p: Conv2dParams, rows: number, cols: number): number {
  const { N, H, W, C, strideRows, strideCols, groups } = p;
  const pixels = N * Math.ceil(H / strideRows) * Math.ceil(W / strideCols);
  return strideRows * strideCols * Math.ceil(pixels / rows) * groups * Math.ceil(C / groups / cols);
}

const inputGradVariant = (name: string, tile: Tile): Variant<Conv2dParams> => ({
  name,
  source,
  holes: tile,
  fits: (p, adapter) => hasVec4Channels(p) && isWalkable(p) && hasRoom(tile, adapter, true),
  workgroups: (p, holes) => spread(tilesOf(inputGradTiles, p, holes)),
});

/** True if the taps that reach a pixel are a stride apart, and lead to neighbouring outputs. */
export const isWalkable = ({ strideRows, strideCols, dilationRows, dilationCols }: Conv2dParams): boolean =>
  (strideRows === 1 || dilationRows === 1) && (strideCols === 1 || dilationCols === 1);

/** Workgroups from which a tile pays on an H200, by the times of all convolutions of a ResNet-50 at 32 images. */
const INPUT_GRAD: Ladder = [
  ["128×64×16", 224],
  ["64×64×16", 224],
  ["32×64×32", 0],
];

/** Terms of a sum of the input gradient; where phases of the strides have different ones, their mean. */
export const inputGradTerms = ({ R, S, O, groups, strideRows, strideCols }: Conv2dParams): number =>
  (R * S * O) / groups / strideRows / strideCols;

/** Elements of the result. */
export const inputGradLength = ({ N, H, W, C }: Conv2dParams): number => N * H * W * C;

/** A tile of the input gradient with k split. */
export const inputGradSplit = (variant: Variant<Conv2dParams>): StagedVariant<Conv2dParams> =>
  splitVariant<Conv2dParams>({
    kernel: {
      name: "conv2dInputGrad",
      reads: ["dy", "w", "e0", "e1"],
      writes: ["dx"],
      params: conv2dParams,
      cost: conv2dCost,
    },
    variant,
    tiles: (p) => tilesOf(inputGradTiles, p, variant.holes ?? {}),
    k: inputGradTerms,
    length: inputGradLength,
    channels: ({ C }) => C,
  });

export const inputGradVariants = [
  ...each(INPUT_GRAD, inputGradVariant),
  inputGradSplit(inputGradVariant(SPLIT, TILES[SPLIT])),
];

export const preferredInputGrad = preferTile(
  INPUT_GRAD,
  inputGradTiles,
  inputGradTerms,
  ({ C }) => C,
  inputGradLength,
);
