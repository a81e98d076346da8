import type { Quad } from "../axes.ts";
import {
  type Adapter,
  type Holes,
  type Kernel,
  type StagedVariant,
  spread,
  type Variant,
} from "../launch/kernel.ts";
import {
  COLUMNS_16,
  hasRoom,
  type Ladder,
  multiplesOf4,
  partsOf,
  SPLIT,
  splitsOf,
  TILES,
  type Tile,
  tileFor,
} from "../launch/tiles.ts";
import { splitVariant } from "../splitK/index.ts";
import type { MatmulParams } from "./params.ts";
import source from "./tile.wgsl?raw";

export const batches = ({ batch }: MatmulParams): number => batch.reduce((count, size) => count * size, 1);

/** Batches of an operand that are not repeated. */
const distinct = ({ batch }: MatmulParams, strides: Quad): number =>
  batch.reduce((count, size, axis) => (strides[axis] === 0 ? count : count * size), 1);

/** Workgroups of tiles of so many rows and columns. */
export const tiles = (p: MatmulParams, rows: number, cols: number): number =>
  batches(p) * Math.ceil(p.M / rows) * Math.ceil(p.N / cols);

export const tilesOf = (p: MatmulParams, { TILE_M, TILE_N }: Holes): number =>
  tiles(p, Number(TILE_M), Number(TILE_N));

/** Bindings of matmul's shaders, and the cost of a launch. */
export const matmulInterface: Pick<
  Kernel<MatmulParams>,
  "name" | "reads" | "writes" | "types" | "params" | "cost"
> = {
  name: "matmul",
  reads: ["a", "b", "e0", "e1"],
  writes: ["y"],
  types: { e0: ["E0", "f32"], e1: ["E1", "f32"] },
  params: {
    ...{ batch: "vec4u", aBatch: "vec4u", bBatch: "vec4u", M: "u32", N: "u32", K: "u32" },
    ...{ aRow: "u32", aCol: "u32", bRow: "u32", bCol: "u32" },
  },
  cost: (p: MatmulParams) => ({
    flops: 2 * batches(p) * p.M * p.N * p.K,
    bytes:
      4 * (distinct(p, p.aBatch) * p.M * p.K + distinct(p, p.bBatch) * p.K * p.N + batches(p) * p.M * p.N),
  }),
};

/** Layouts of the operands: rows or columns are contiguous. */
export const LAYOUTS = [
  { suffix: "", A_COLUMNS: false, B_COLUMNS: false },
  { suffix: " aᵀ", A_COLUMNS: true, B_COLUMNS: false },
  { suffix: " bᵀ", A_COLUMNS: false, B_COLUMNS: true },
] as const;

export type Layout = (typeof LAYOUTS)[number];

export const isLaidOut = ({ A_COLUMNS, B_COLUMNS }: Layout, p: MatmulParams): boolean =>
  multiplesOf4(p.N, ...p.aBatch, ...p.bBatch) &&
  (A_COLUMNS ? p.aRow === 1 && multiplesOf4(p.M, p.aCol) : p.aCol === 1 && multiplesOf4(p.K, p.aRow)) &&
  (B_COLUMNS ? p.bRow === 1 && multiplesOf4(p.K, p.bCol) : p.bCol === 1 && multiplesOf4(p.bRow));

/** Workgroups from which a tile pays on an H200: 128 of 128×64×32 reach 27 TFLOP/s at 1024³, and 32 at 4096³. */
const LADDER: Ladder = [
  ["128×64×32", 128],
  ["64×64×32", 224],
  ["32×64×32", 0],
];

const matmulVariant = (name: string, tile: Tile, layout: Layout): Variant<MatmulParams> => ({
  name: `${name}${layout.suffix}`,
  source,
  holes: {
    ...tile,
    ...{ A_COLUMNS: layout.A_COLUMNS, B_COLUMNS: layout.B_COLUMNS, PAD: layout.B_COLUMNS ? 1 : 0 },
  },
  fits: (p, adapter) => isLaidOut(layout, p) && hasRoom(tile, adapter, layout.B_COLUMNS),
  workgroups: (p, holes) => spread(tilesOf(p, holes)),
});

/** Elements of the result. */
export const outputs = (p: MatmulParams): number => batches(p) * p.M * p.N;

/** The same, but for a k so long that it has to be split. */
export const unlessLong = (variant: Variant<MatmulParams>): Variant<MatmulParams> => ({
  ...variant,
  fits: (p, adapter, holes) => partsOf(p.K, outputs(p)) === 1 && (variant.fits?.(p, adapter, holes) ?? true),
});

const splitTile = TILES[SPLIT];

/** The tile that a long k is split for where the result is large. */
const LARGE = "128×64×32";

/** A tile with k split. */
export const matmulSplit = (variant: Variant<MatmulParams>): StagedVariant<MatmulParams> =>
  splitVariant<MatmulParams>({
    kernel: matmulInterface,
    variant,
    tiles: (p) => tilesOf(p, variant.holes ?? {}),
    k: ({ K }) => K,
    length: outputs,
    channels: ({ N }) => N,
  });

export const matmulVariants = LAYOUTS.flatMap((layout) => [
  ...[...LADDER.map(([name]) => name), COLUMNS_16].map((name) =>
    unlessLong(matmulVariant(name, TILES[name], layout)),
  ),
  matmulSplit(matmulVariant(SPLIT, splitTile, layout)),
  matmulSplit(matmulVariant(LARGE, TILES[LARGE], layout)),
]);

/**
 * Name of the variant for a GPU: a tile, with k split where its workgroups are too few or k is long; undefined where
 * none fits.
 */
export function preferredTile(p: MatmulParams, adapter: Adapter): string | undefined {
  const layout = LAYOUTS.find((layout) => isLaidOut(layout, p));
  if (!layout) return undefined;
  const count = (tile: Tile) => tilesOf(p, tile);
  const splits = (tile: Tile) => splitsOf(count(tile), p.K, outputs(p));
  const large = TILES[LARGE];
  if (partsOf(p.K, outputs(p)) > 1) {
    const isLarge = p.M > 64 && hasRoom(large, adapter) && count(large) * splits(large) >= 192;
    return `${isLarge ? LARGE : SPLIT}${layout.suffix} split`;
  }
  const name = tileFor(LADDER, p.N, count, adapter);
  const isSplit = name === SPLIT && splits(splitTile) > 1;
  return `${name}${layout.suffix}${isSplit ? " split" : ""}`;
}
