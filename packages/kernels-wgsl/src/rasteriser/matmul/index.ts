import type { Quad } from "../../axes.ts";
import { type RoleVariants, spread, type Variant } from "../../launch/kernel.ts";
import { multiplesOf4 } from "../../launch/tiles.ts";
import { batches, type MatmulParams, matmul, tiles } from "../../matmul/index.ts";
import { hasSubgroupsOf } from "../subgroups.ts";
import { epilogueTextures, fitsTexture, texels } from "../textures.ts";
import broadcast from "./broadcast.wgsl?raw";
import shuffle from "./shuffle.wgsl?raw";

/** The holes of a tile of SUBGROUP · BLOCKS rows and 4 · ACROSS columns. */
type Tile = Readonly<Record<"SUBGROUP" | "ACROSS" | "BLOCKS", number>>;

/** k that a shader sums in sequence: BLOCK there. */
const BLOCK = 4096;

/** A variant whose sums are one block, and one for longer sums. */
function ofAnyLength({ name, holes, fits, ...rest }: Variant<MatmulParams>): Variant<MatmulParams>[] {
  return [
    {
      ...{ ...rest, name, holes: { ...holes, IN_BLOCKS: false } },
      fits: (p, adapter, given) => p.K <= BLOCK && (fits?.(p, adapter, given) ?? true),
    },
    {
      ...{ ...rest, name: `${name} blocks`, holes: holes ?? {} },
      fits: (p, adapter, given) => p.K > BLOCK && (fits?.(p, adapter, given) ?? true),
    },
  ];
}

/** Fetches by fours, along the axis of each operand that is contiguous. */
function shuffled(tile: Tile, A_COLUMNS = false, B_COLUMNS = false): Variant<MatmulParams> {
  const { SUBGROUP, ACROSS } = tile;
  return {
    name: `shuffle${SUBGROUP}x${4 * ACROSS}${A_COLUMNS ? " aᵀ" : ""}${B_COLUMNS ? " bᵀ" : ""}`,
    source: shuffle,
    holes: { ...tile, A_COLUMNS, B_COLUMNS },
    needs: ["subgroups"],
    fits(p, adapter) {
      const { M, N, K, aRow, aCol, bRow, bCol, aBatch, bBatch } = p;
      return (
        hasSubgroupsOf(SUBGROUP, adapter) &&
        multiplesOf4(N, K, ...aBatch, ...bBatch) &&
        (A_COLUMNS ? aRow === 1 && multiplesOf4(M, aCol) : aCol === 1 && multiplesOf4(aRow)) &&
        (B_COLUMNS ? bRow === 1 && multiplesOf4(bCol) : bCol === 1 && multiplesOf4(bRow)) &&
        [...Object.values(operands(p)), batches(p) * M * N].every(fitsTexture)
      );
    },
    copied: (p, holes, epilogue) =>
      texels({ ...operands(p), ...epilogueTextures(epilogue, batches(p) * p.M * p.N, p.N) }, holes),
    workgroups: (p, holes) => spread(tiles(p, SUBGROUP * Number(holes.BLOCKS), 4 * ACROSS)),
  };
}

/** Elements of each operand, up to the last that is read. */
function operands({ batch, aBatch, bBatch, M, N, K, aRow, aCol, bRow, bCol }: MatmulParams): {
  a: number;
  b: number;
} {
  if (M * N * K === 0) return { a: 0, b: 0 };
  const last = (strides: Quad) =>
    batch.reduce((sum, size, axis) => sum + Math.max(0, size - 1) * strides[axis]!, 1);
  return {
    a: last(aBatch) + (M - 1) * aRow + (K - 1) * aCol,
    b: last(bBatch) + (K - 1) * bRow + (N - 1) * bCol,
  };
}

/** Tiles for each way that operands may lie, named for the subgroup and the columns. */
const registerTiles = (tile: Tile): Variant<MatmulParams>[] => [
  shuffled(tile),
  shuffled(tile, true),
  shuffled(tile, false, true),
  broadcasting(tile.SUBGROUP),
];

/** For any strides. */
const broadcasting = (SUBGROUP: number): Variant<MatmulParams> => ({
  name: `broadcast${SUBGROUP}`,
  source: broadcast,
  holes: { SUBGROUP },
  needs: ["subgroups"],
  fits: (_, adapter) => hasSubgroupsOf(SUBGROUP, adapter),
  workgroups: (p) => spread(tiles(p, 3 * SUBGROUP, 4 * SUBGROUP)),
});

/** For subgroups of 8 (llvmpipe) and of 4 (SwiftShader). */
export const product: RoleVariants<MatmulParams> = {
  variants: [
    ...registerTiles({ SUBGROUP: 8, ACROSS: 8, BLOCKS: 2 }),
    shuffled({ SUBGROUP: 8, ACROSS: 4, BLOCKS: 4 }),
    ...registerTiles({ SUBGROUP: 4, ACROSS: 4, BLOCKS: 3 }),
  ].flatMap(ofAnyLength),
  prefer: ({ N, K }) =>
    N < 3 ? "direct" : N <= 16 ? (K <= BLOCK ? "shuffle8x16" : "shuffle8x16 blocks") : undefined,
};

export { matmul };
