import { hasLanes, type RoleVariants, spread, type Variant } from "../../launch/kernel.ts";
import { batches, type MatmulParams, matmul, type Quad, tiles } from "../../matmul/index.ts";
import { epilogueTextures, fitsTexture, texels } from "../textures.ts";
import lanes from "./lanes.wgsl?raw";
import lanes4 from "./lanes4.wgsl?raw";

const fours = (...values: readonly number[]) => values.every((value) => value % 4 === 0);

/** The holes of a tile of LANES · BLOCKS rows and 4 · WIDTH columns. */
type Tile = Readonly<Record<"LANES" | "WIDTH" | "BLOCKS", number>>;

/** Fetches by fours, along the axis of each operand that is contiguous. */
function lanesOfFours(
  name: string,
  tile: Tile,
  A_COLUMNS: boolean,
  B_COLUMNS: boolean,
): Variant<MatmulParams> {
  const { LANES, WIDTH } = tile;
  return {
    name,
    source: lanes4,
    holes: { ...tile, A_COLUMNS, B_COLUMNS },
    needs: ["subgroups"],
    fits(p, adapter) {
      const { M, N, K, aRow, aCol, bRow, bCol, aBatch, bBatch } = p;
      return (
        hasLanes(adapter, LANES) &&
        fours(N, K, ...aBatch, ...bBatch) &&
        (A_COLUMNS ? aRow === 1 && fours(M, aCol) : aCol === 1 && fours(aRow)) &&
        (B_COLUMNS ? bRow === 1 && fours(bCol) : bCol === 1 && fours(bRow)) &&
        [...Object.values(operands(p)), batches(p) * M * N].every(fitsTexture)
      );
    },
    copied: (p, holes, epilogue) =>
      texels({ ...operands(p), ...epilogueTextures(epilogue, batches(p) * p.M * p.N, p.N) }, holes),
    workgroups: (p, holes) => spread(tiles(p, LANES * Number(holes.BLOCKS), 4 * WIDTH)),
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

/** Register tiles over subgroups of 8 (llvmpipe) or of 4 (SwiftShader). */
function overLanes(tile: Tile, suffix: string): [Variant<MatmulParams>, ...Variant<MatmulParams>[]] {
  const { LANES } = tile;
  return [
    lanesOfFours(`lanes4${suffix}`, tile, false, false),
    lanesOfFours(`lanes4 aᵀ${suffix}`, tile, true, false),
    lanesOfFours(`lanes4 bᵀ${suffix}`, tile, false, true),
    {
      name: `lanes${suffix}`,
      source: lanes,
      holes: { LANES },
      needs: ["subgroups"],
      fits: (_, adapter) => hasLanes(adapter, LANES),
      workgroups: (p) => spread(tiles(p, 3 * LANES, 4 * LANES)),
    },
  ];
}

export const product: RoleVariants<MatmulParams> = {
  variants: [
    ...overLanes({ LANES: 8, WIDTH: 8, BLOCKS: 2 }, ""),
    lanesOfFours("lanes4 narrow", { LANES: 8, WIDTH: 4, BLOCKS: 4 }, false, false),
    ...overLanes({ LANES: 4, WIDTH: 4, BLOCKS: 3 }, " of 4"),
  ],
  prefer: ({ N }) => (N < 3 ? "direct" : N <= 16 ? "lanes4 narrow" : undefined),
};

export { matmul };
