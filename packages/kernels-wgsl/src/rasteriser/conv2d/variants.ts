import type { Conv2dParams } from "../../conv2d/index.ts";
import { spread, type Variant } from "../../launch/kernel.ts";
import { hasSubgroupsOf } from "../subgroups.ts";
import { epilogueTextures, fitsTexture, TEXELS_PER_ROW, texels } from "../textures.ts";

/** The shaders of a direction: for channels in fours, and for any. */
interface Shaders<P> {
  readonly shuffle: string;
  readonly broadcast: string;
  /** Elements of each operand that `shuffle` reads. */
  operands(p: P): Readonly<Record<string, number>>;
  /** Demands of `shuffle` beyond channels in fours. */
  fitsShuffle?(p: P): boolean;
  /** Number of tiles of so many outputs that cover the result, in either shader. */
  tiles(p: P, rows: number, cols: number): number;
  tilesOfAny?(p: P, rows: number, cols: number): number;
  /** Rows that a lane fetches where the columns of a group are 16 or fewer. */
  readonly rowsFor16Columns?: number;
  /** Elements of the result, and of its last axis: where it has an epilogue. */
  result?(p: P): readonly [elements: number, channels: number];
}

/** Blocks of rows in a tile of `broadcast`. */
const BLOCKS = 3;

/** Register tiles over subgroups of 8 (llvmpipe) and of 4 (SwiftShader), named for those and their columns. */
export function registerTiles<P extends Conv2dParams>(
  shaders: Shaders<P>,
): {
  vec4: Variant<P>[];
  any: Variant<P>[];
} {
  const { broadcast, tiles, tilesOfAny = tiles } = shaders;
  const any = (SUBGROUP: number): Variant<P> => ({
    name: `broadcast${SUBGROUP}`,
    source: broadcast,
    holes: { SUBGROUP },
    needs: ["subgroups"],
    fits: (_, adapter) => hasSubgroupsOf(SUBGROUP, adapter),
    workgroups: (p) => spread(tilesOfAny(p, SUBGROUP * BLOCKS, SUBGROUP * 4)),
  });
  return {
    vec4: [
      shuffled(shaders, 8, 8, 2),
      shuffled(shaders, 8, 4, shaders.rowsFor16Columns ?? 4),
      shuffled(shaders, 4, 4, 3),
    ],
    any: [any(8), any(4)],
  };
}

/** The variant to take for so many columns of a group; undefined: the first that fits. */
export function preferByColumns(columns: number): string | undefined {
  if (columns < 3) return "direct";
  // A third or more of 32 columns would be empty.
  return columns <= 16 || (columns > 32 && columns <= 40) ? "shuffle8x16" : undefined;
}

/** Tiles of SUBGROUP · BLOCKS rows and 4 · ACROSS columns, whose operands are textures. */
function shuffled<P extends Conv2dParams>(
  { shuffle, fitsShuffle = () => true, tiles, operands, result }: Shaders<P>,
  SUBGROUP: number,
  ACROSS: number,
  BLOCKS: number,
): Variant<P> {
  return {
    name: `shuffle${SUBGROUP}x${4 * ACROSS}`,
    source: shuffle,
    holes: { SUBGROUP, ACROSS, BLOCKS },
    needs: ["subgroups"],
    fits: (p, adapter) =>
      hasSubgroupsOf(SUBGROUP, adapter) &&
      divides(4, p.C / p.groups, p.O / p.groups) &&
      Math.max(p.C, p.O) / p.groups <= MOST_CHANNELS &&
      [...Object.values(operands(p)), result?.(p)[0] ?? 0].every(fitsTexture) &&
      fitsShuffle(p),
    copied: (p, holes, epilogue) =>
      texels({ ...operands(p), ...(result ? epilogueTextures(epilogue, ...result(p)) : {}) }, holes),
    workgroups: (p, holes) => spread(tiles(p, SUBGROUP * Number(holes.BLOCKS), ACROSS * 4)),
  };
}

/** Zeros at the beginning of a texture, which the channels of a pixel outside of an image are read from. */
const MOST_CHANNELS = 4 * TEXELS_PER_ROW;

const divides = (by: number, ...values: readonly number[]) => values.every((value) => value % by === 0);
