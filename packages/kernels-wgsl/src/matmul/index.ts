import { hasLanes, type Kernel, spread, type Variant } from "../launch/kernel.ts";
import lanes from "../rasteriser/matmul/lanes.wgsl?raw";
import lanes4 from "../rasteriser/matmul/lanes4.wgsl?raw";
import { epilogueTextures, fitsTexture } from "../rasteriser/textures.ts";
import direct from "./direct.wgsl?raw";
import tiledSource from "./tiled.wgsl?raw";

type Quad = readonly [number, number, number, number];

/**
 * Sizes of the batch axes, last one first and filled with 1, and the strides of a and b along them;
 * the sizes of the product; and how many elements apart rows and columns lie.
 */
export type MatmulParams = Record<"batch" | "aBatch" | "bBatch", Quad> &
  Record<"M" | "N" | "K" | "aRow" | "aCol" | "bRow" | "bCol", number>;

const tiles = (p: MatmulParams, rows: number, cols: number) =>
  batches(p) * Math.ceil(p.M / rows) * Math.ceil(p.N / cols);

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
    textures: (p, holes) => ({
      ...operands(p),
      ...epilogueTextures(holes, batches(p) * p.M * p.N, p.N),
    }),
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

const tiled: Variant<MatmulParams> = {
  name: "tiled",
  source: tiledSource,
  workgroups: (p) => spread(tiles(p, 64, 64)),
};

/**
 * Batched matrix product y[z] = a[z] · b[z] of strided operands.
 *
 * Holes: `epilogue`, an expression in value, i and o, which may read e0 and e1, of types `E0` and `E1`; `Elem`.
 */
export const matmul: Kernel<MatmulParams> = {
  name: "matmul",
  reads: ["a", "b", "e0", "e1"],
  writes: ["y"],
  params: {
    batch: "vec4u",
    aBatch: "vec4u",
    bBatch: "vec4u",
    M: "u32",
    N: "u32",
    K: "u32",
    aRow: "u32",
    aCol: "u32",
    bRow: "u32",
    bCol: "u32",
  },
  variants: {
    plain: {
      name: "direct",
      source: direct,
      workgroups: (p) => spread(Math.ceil((batches(p) * p.M * p.N) / 64)),
    },
    gpu: [tiled],
    rasteriser: [
      ...overLanes({ LANES: 8, WIDTH: 8, BLOCKS: 2 }, ""),
      lanesOfFours("lanes4 narrow", { LANES: 8, WIDTH: 4, BLOCKS: 4 }, false, false),
      ...overLanes({ LANES: 4, WIDTH: 4, BLOCKS: 3 }, " of 4"),
      tiled,
    ],
  },
  prefer({ N }, { software }) {
    if (!software) return N < 8 ? "direct" : "tiled";
    return N < 3 ? "direct" : N <= 16 ? "lanes4 narrow" : undefined;
  },
  epilogue: ({ N }) => N,
  linearIn: ({ N, bCol, bRow }) => (bCol === 1 && bRow === N ? "b" : undefined),
  cost: (p) => ({
    flops: 2 * batches(p) * p.M * p.N * p.K,
    bytes:
      4 * (distinct(p, p.aBatch) * p.M * p.K + distinct(p, p.bBatch) * p.K * p.N + batches(p) * p.M * p.N),
  }),
};

const batches = ({ batch }: MatmulParams) => batch.reduce((count, size) => count * size, 1);

/** Batches of an operand that are not repeated. */
const distinct = ({ batch }: MatmulParams, strides: Quad) =>
  batch.reduce((count, size, axis) => (strides[axis] === 0 ? count : count * size), 1);

/** The definition, in float64. */
export function matmulReference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  p: MatmulParams,
): Float64Array<ArrayBuffer> {
  const count = batches(p);
  const y = new Float64Array(count * p.M * p.N);
  for (let z = 0, i = 0; z < count; z++) {
    const aFirst = first(z, p.batch, p.aBatch);
    const bFirst = first(z, p.batch, p.bBatch);
    for (let m = 0; m < p.M; m++)
      for (let n = 0; n < p.N; n++, i++)
        for (let k = 0; k < p.K; k++)
          y[i]! += a[aFirst + m * p.aRow + k * p.aCol]! * b[bFirst + k * p.bRow + n * p.bCol]!;
  }
  return y;
}

function first(z: number, sizes: Quad, strides: Quad): number {
  let at = 0;
  for (let axis = 0, rest = z; axis < 4; axis++) {
    at += (rest % sizes[axis]!) * strides[axis]!;
    rest = Math.floor(rest / sizes[axis]!);
  }
  return at;
}
