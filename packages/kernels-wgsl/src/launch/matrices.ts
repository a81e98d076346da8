import type { Adapter, Holes } from "./kernel.ts";

/** Holes of a shader that computes on matrix units. */
export type MatrixTile = {
  /** Rows, columns and slice of k of a workgroup, and rows and columns of a subgroup. */
  readonly TILE_M: number;
  readonly TILE_N: number;
  readonly TILE_K: number;
  readonly SUB_M: number;
  readonly SUB_N: number;
  /** Type of operands in a matrix; sums are f32. */
  readonly Part: "f16" | "f32";
  readonly MATRIX_M: number;
  readonly MATRIX_N: number;
  readonly MATRIX_K: number;
  /** Invocations of a subgroup. */
  readonly SUBGROUP: number;
};

type Unit = Pick<MatrixTile, "Part" | "MATRIX_M" | "MATRIX_N" | "MATRIX_K" | "SUBGROUP">;

/** Matrix units known so far: NVIDIA's (tensor cores), Apple's (simdgroup matrices), and Intel's (XMX). */
const NVIDIA: Unit = { Part: "f16", MATRIX_M: 16, MATRIX_N: 16, MATRIX_K: 16, SUBGROUP: 32 };
const APPLE: Unit = { Part: "f32", MATRIX_M: 8, MATRIX_N: 8, MATRIX_K: 8, SUBGROUP: 32 };
const INTEL: Unit = { Part: "f16", MATRIX_M: 8, MATRIX_N: 16, MATRIX_K: 16, SUBGROUP: 16 };

/**
 * Tiles by name, the largest first. Multiply-adds per element read from workgroup memory, bytes of workgroup memory,
 * threads:
 *
 *   128×128, 64×32 a subgroup: 21, 27 KiB, 256     128×64, 32×32: 16, 23 KiB, 256     64×64, 32×32: 16, 14 KiB, 128
 *   64×64 in 8×8×8, 32×16 a subgroup: 11, 22 KiB, 256     64×64 in 8×16×16, 16×32: 11, 14 KiB, 128
 *
 * None of these shaders has run on matrix units yet: they compile, and their values are right where matrices are
 * imitated. Prototypes with the tiles of 16×16×16 ran on an H200, at 24 to 38 TFLOP/s where f32 had 7 to 9.
 */
export const MATRIX_TILES = {
  "matrix 128×128": { TILE_M: 128, TILE_N: 128, TILE_K: 32, SUB_M: 64, SUB_N: 32, ...NVIDIA },
  "matrix 128×64": { TILE_M: 128, TILE_N: 64, TILE_K: 32, SUB_M: 32, SUB_N: 32, ...NVIDIA },
  "matrix 64×64": { TILE_M: 64, TILE_N: 64, TILE_K: 32, SUB_M: 32, SUB_N: 32, ...NVIDIA },
  "matrix 64×64 in 8×8×8": { TILE_M: 64, TILE_N: 64, TILE_K: 32, SUB_M: 32, SUB_N: 16, ...APPLE },
  "matrix 64×64 in 8×16×16": { TILE_M: 64, TILE_N: 64, TILE_K: 32, SUB_M: 16, SUB_N: 32, ...INTEL },
} as const satisfies Record<string, MatrixTile>;

export type MatrixTileName = keyof typeof MATRIX_TILES;

export const MATRIX_NAMES = Object.keys(MATRIX_TILES) as MatrixTileName[];

/** The tile that k is split for. */
export const MATRIX_SPLIT: MatrixTileName = "matrix 64×64";

/** WebGPU feature of matrix units. */
export const MATRIX_UNITS = "chromium-experimental-subgroup-matrix";

/** Features that the shaders enable. */
export const MATRIX_FEATURES = ["shader-f16", "subgroups", MATRIX_UNITS];

const threadsOf = ({ TILE_M, TILE_N, SUB_M, SUB_N, SUBGROUP }: MatrixTile): number =>
  (TILE_M / SUB_M) * (TILE_N / SUB_N) * SUBGROUP;

/** Bytes of workgroup memory: slices of both operands, pixels of a weight gradient's slice, and a matrix of sums per subgroup. */
const memoryOf = (tile: MatrixTile): number => {
  const { TILE_M, TILE_N, TILE_K, Part, MATRIX_M, MATRIX_N, SUBGROUP } = tile;
  // Whichever axis a row of a slice is along, it is two vec4 longer than it needs to be.
  const slice = (side: number) => side * TILE_K + 8 * Math.max(side, TILE_K);
  const sums = (4 * MATRIX_M * MATRIX_N * threadsOf(tile)) / SUBGROUP;
  return (Part === "f16" ? 2 : 4) * (slice(TILE_M) + slice(TILE_N)) + sums + 16 * TILE_K;
};

/** A kind of product that matrix units offer, as `Adapter.matrices` lists it. */
export const matrixKind = (operands: string, sums: string, m: number, n: number, k: number): string =>
  `${operands}→${sums} ${m}×${n}×${k}`;

/**
 * True if an adapter's matrix units multiply this tile's matrices, for a launch with these holes.
 *
 * Its operands have to be f16: f32 would be rounded, or summed in another order than elsewhere, which nobody asked for.
 */
export const hasMatrices = (tile: MatrixTile, adapter: Adapter, { Elem }: Holes): boolean =>
  Elem === "f16" &&
  MATRIX_FEATURES.every((feature) => adapter.features.has(feature)) &&
  adapter.matrices?.includes(matrixKind(tile.Part, "f32", tile.MATRIX_M, tile.MATRIX_N, tile.MATRIX_K)) ===
    true &&
  adapter.subgroupSize.every((size) => size === tile.SUBGROUP) &&
  memoryOf(tile) <= adapter.workgroupMemory &&
  threadsOf(tile) <= adapter.workgroupThreads;

/**
 * The largest tile that still has as many workgroups as fill a GPU, else the smallest; undefined where there are no
 * matrix units for f16, or columns too few not to leave most of a matrix empty.
 *
 * @param columns of the product, in one group
 * @param tilesOf workgroups that a tile makes of the product
 */
export function matrixTileFor(
  columns: number,
  tilesOf: (tile: MatrixTile) => number,
  adapter: Adapter,
  holes: Holes,
): MatrixTileName | undefined {
  if (columns <= 32) return undefined;
  const able = MATRIX_NAMES.filter((name) => hasMatrices(MATRIX_TILES[name], adapter, holes));
  return able.find((name) => tilesOf(MATRIX_TILES[name]) >= ENOUGH[name]) ?? able.at(-1);
}

/**
 * Workgroups from which a tile pays. 128×128 was slower than both others in every prototype of a convolution on an H200;
 * a matrix product of 4096³ has 1,024 of it.
 */
const ENOUGH: Readonly<Record<MatrixTileName, number>> = {
  ...{ "matrix 128×128": 1024, "matrix 128×64": 264, "matrix 64×64": 0 },
  ...{ "matrix 64×64 in 8×8×8": 0, "matrix 64×64 in 8×16×16": 0 },
};
