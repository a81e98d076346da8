import type { Conv2dParams } from "../../conv2d/index.ts";
import { hasLanes, spread, type Variant } from "../../launch/kernel.ts";
import { epilogueTextures, fitsTexture, TEXELS_PER_ROW, texels } from "../textures.ts";

/** The shaders of a direction: for channels in fours, and for any. */
interface Shaders<P> {
  readonly lanes4: string;
  readonly lanes: string;
  /** Elements of each operand that `lanes4` reads. */
  operands(p: P): Readonly<Record<string, number>>;
  /** Beyond channels in fours, what `lanes4` demands. */
  fits4?(p: P): boolean;
  /** How many tiles of so many outputs cover the result, in either shader. */
  tiles(p: P, rows: number, cols: number): number;
  tilesOfAny?(p: P, rows: number, cols: number): number;
  /** Rows that a lane fetches where the columns of a group are 16 or fewer. */
  readonly narrow?: number;
  /** Elements of the result, and of its last axis: where it has an epilogue. */
  result?(p: P): readonly [elements: number, channels: number];
}

/** Blocks of rows in a tile of `lanes`. */
const BLOCKS = 3;

/** Register tiles over subgroups of 8 (llvmpipe) and of 4 (SwiftShader). */
export function overLanes<P extends Conv2dParams>(
  shaders: Shaders<P>,
): {
  fours: Variant<P>[];
  any: Variant<P>[];
} {
  const { lanes, tiles, tilesOfAny = tiles } = shaders;
  const any = (name: string, LANES: number): Variant<P> => ({
    name,
    source: lanes,
    holes: { LANES },
    needs: ["subgroups"],
    fits: (_, adapter) => hasLanes(adapter, LANES),
    workgroups: (p) => spread(tilesOfAny(p, LANES * BLOCKS, LANES * 4)),
  });
  return {
    fours: [
      lanesOfFours(shaders, "lanes4", 8, 8, 2),
      lanesOfFours(shaders, "lanes4 narrow", 8, 4, shaders.narrow ?? 4),
      lanesOfFours(shaders, "lanes4 of 4", 4, 4, 3),
    ],
    any: [any("lanes", 8), any("lanes of 4", 4)],
  };
}

/** The variant to take for so many columns of a group; undefined: the first that fits. */
export function preferred(columns: number): string | undefined {
  if (columns < 3) return "direct";
  // Of 32 columns, a third or more would be empty.
  return columns <= 16 || (columns > 32 && columns <= 40) ? "lanes4 narrow" : undefined;
}

/** Tiles of LANES · BLOCKS rows and 4 · WIDTH columns, whose operands are textures. */
function lanesOfFours<P extends Conv2dParams>(
  { lanes4, fits4 = () => true, tiles, operands, result }: Shaders<P>,
  name: string,
  LANES: number,
  WIDTH: number,
  BLOCKS: number,
): Variant<P> {
  return {
    name,
    source: lanes4,
    holes: { LANES, WIDTH, BLOCKS },
    needs: ["subgroups"],
    fits: (p, adapter) =>
      hasLanes(adapter, LANES) &&
      divides(4, p.C / p.groups, p.O / p.groups) &&
      Math.max(p.C, p.O) / p.groups <= MOST_CHANNELS &&
      [...Object.values(operands(p)), result?.(p)[0] ?? 0].every(fitsTexture) &&
      fits4(p),
    copied: (p, holes, epilogue) =>
      texels({ ...operands(p), ...(result ? epilogueTextures(epilogue, ...result(p)) : {}) }, holes),
    workgroups: (p, holes) => spread(tiles(p, LANES * Number(holes.BLOCKS), WIDTH * 4)),
  };
}

/** Zeros at the beginning of a texture, which the channels of a pixel outside of an image are read from. */
const MOST_CHANNELS = 4 * TEXELS_PER_ROW;

const divides = (by: number, ...values: readonly number[]) => values.every((value) => value % by === 0);
