import type { Kernel, Variant } from "../launch/kernel.ts";
import { TILES, type Tile } from "../launch/tiles.ts";
import { FORWARD, forwardVariant } from "./forwardTiles.ts";
import { type Conv2dParams, conv2dCost, conv2dParams } from "./params.ts";
import source from "./tileMoments.wgsl?raw";
import { each } from "./tiles.ts";

/** A convolution's shapes, and the rows of y whose moments are taken together: those of a tile. */
type Conv2dMomentsParams = Conv2dParams & { chunk: number };

/** Rows of the chunks whose moments a variant of `conv2d` leaves, by its name; undefined if it leaves none. */
export const chunkOf = (variant: string): number | undefined =>
  (TILES as Readonly<Record<string, Tile>>)[variant]?.TILE_M;

const [plain, ...gpu] = each(
  FORWARD,
  (name, tile): Variant<Conv2dMomentsParams> => ({
    ...forwardVariant(name, tile),
    source,
    fits: ({ chunk }) => chunk === tile.TILE_M,
  }),
);

/**
 * `conv2d` that leaves what `normalizeBatch` needs with `BY_CHUNK`, as `tileMoments` does otherwise. It takes what
 * the variant of that name takes, without an epilogue, and gives the same y, bit by bit. `chunk` has to be the rows of its
 * tile, so that no variant fits all parameters.
 *
 * Holes: `Elem`.
 */
export const conv2dMoments: Kernel<Conv2dMomentsParams> = {
  name: "conv2dMoments",
  reads: ["x", "w", "gamma", "beta"],
  writes: ["y", "partial"],
  types: { gamma: "f32", beta: "f32", partial: "f32" },
  params: { ...conv2dParams, chunk: "u32" },
  variants: { plain: plain!, gpu },
  cost: conv2dCost,
};
