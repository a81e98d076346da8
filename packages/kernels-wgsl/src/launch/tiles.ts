import type { Adapter } from "./kernel.ts";

/**
 * The holes of a shader that computes a matrix product in tiles of workgroup memory: TILE_M rows by TILE_N columns a
 * workgroup, ROWS × COLS a thread, in slices of TILE_K.
 */
export type Tile = Readonly<Record<"TILE_M" | "TILE_N" | "TILE_K" | "ROWS" | "COLS", number>>;

const tile = (TILE_M: number, TILE_N: number, TILE_K: number, ROWS: number, COLS: number): Tile => ({
  ...{ TILE_M, TILE_N, TILE_K, ROWS, COLS },
});

/**
 * Tiles by name. Multiply-adds for each float read from workgroup memory, bytes of workgroup memory, threads:
 *
 *   128×64×16, 8×8: 4,   12 KiB, 128     64×64×16, 8×4: 2.7,  8 KiB, 128
 *   128×64×32, 8×4: 2.7, 24 KiB, 256     32×64×32, 4×4: 2,   12 KiB, 128
 *   64×64×32,  8×4: 2.7, 16 KiB, 128     64×16×16, 4×4: 2,    5 KiB,  64
 *
 * On an H200 128×128 tiles lose to these by a third at 32 images: 98 to 200 workgroups of them do not fill it.
 */
export const TILES = {
  "128×64×16": tile(128, 64, 16, 8, 8),
  "128×64×32": tile(128, 64, 32, 8, 4),
  "64×64×32": tile(64, 64, 32, 8, 4),
  "64×64×16": tile(64, 64, 16, 8, 4),
  "32×64×32": tile(32, 64, 32, 4, 4),
  "64×16×16": tile(64, 16, 16, 4, 4),
} as const;

export type TileName = keyof typeof TILES;

/** Tiles of a kernel, the largest first, each with the workgroups from which it pays. */
export type Ladder = readonly (readonly [name: TileName, enough: number])[];

/** Tile that leaves the fewest columns empty where a product has few. */
export const COLUMNS_16: TileName = "64×16×16";

/** True if a product has few columns. */
export const prefers16Columns = (columns: number): boolean => columns <= 32;

/**
 * The tile for a product: the largest one that still has enough workgroups, else the smallest.
 *
 * @param columns of the product, in one group
 * @param tilesOf workgroups that a tile makes of the product
 */
export function tileFor(
  ladder: Ladder,
  columns: number,
  tilesOf: (tile: Tile) => number,
  adapter: Adapter,
): TileName {
  if (prefers16Columns(columns)) return COLUMNS_16;
  const found = ladder.find(
    ([name, enough]) => hasRoom(TILES[name], adapter) && tilesOf(TILES[name]) >= enough,
  );
  return found?.[0] ?? SPLIT;
}

/** The tile that k is split for: many small workgroups. */
export const SPLIT = "32×64×32";

/** Terms from which rounding adds up in a sum in sequence, and terms of the parts that are summed apart then. */
export const LONG = 2 ** 14;
const PART = 2 ** 12;

/** Bytes of partial sums that every device binds. */
export const MOST_PARTIALS = 2 ** 27;

/** Parts that a long k has to be summed in, 1 where it is short or their partial sums would be too many. */
export const partsOf = (k: number, length: number): number =>
  k > LONG ? Math.max(1, Math.min(Math.ceil(k / PART), Math.floor(MOST_PARTIALS / 4 / length))) : 1;

/**
 * Count of splits of k where the tiles of a product are few, or k is long: 1 where neither is so. The second
 * launch costs 2 to 4 µs. WebGPU does not expose the number of multiprocessors: these are three workgroups for each of
 * an H200's 132. There, a product of 16 tiles and k = 4,608 takes 23 µs in 16 parts and 273 in one.
 *
 * @param length elements of the result
 */
export function splitsOf(tiles: number, k: number, length: number): number {
  if (tiles === 0 || k < 512) return 1;
  const busy = tiles >= 192 ? 1 : Math.min(16, Math.floor(k / 128), Math.round(384 / tiles));
  return Math.max(1, busy, partsOf(k, length));
}

const threadsOf = ({ TILE_M, TILE_N, ROWS, COLS }: Tile): number => (TILE_M / ROWS) * (TILE_N / COLS);

/** Bytes of workgroup memory: a slice of each operand in f32, and with `turns` a column more of the second one. */
const memoryOf = ({ TILE_M, TILE_N, TILE_K }: Tile, turns: boolean): number =>
  4 * TILE_K * (TILE_M + TILE_N + (turns ? 4 : 0));

/** True if an adapter has room for a workgroup of this tile. */
export const hasRoom = (tile: Tile, adapter: Adapter, turns = false): boolean =>
  threadsOf(tile) <= adapter.workgroupThreads && memoryOf(tile, turns) <= adapter.workgroupMemory;

/** True if all are multiples of 4, as vec4 loads need. */
export const multiplesOf4 = (...values: readonly number[]): boolean =>
  values.every((value) => value % 4 === 0);
