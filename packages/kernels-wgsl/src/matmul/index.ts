import { type Kernel, spread, type Variant } from "../launch/kernel.ts";
import direct from "./direct.wgsl?raw";
import tiledSource from "./tiled.wgsl?raw";

export type Quad = readonly [number, number, number, number];

/**
 * Sizes of the batch axes, last one first and filled with 1, and the strides of a and b along them;
 * the sizes of the product; and how many elements apart rows and columns lie.
 */
export type MatmulParams = Record<"batch" | "aBatch" | "bBatch", Quad> &
  Record<"M" | "N" | "K" | "aRow" | "aCol" | "bRow" | "bCol", number>;

export const tiles = (p: MatmulParams, rows: number, cols: number) =>
  batches(p) * Math.ceil(p.M / rows) * Math.ceil(p.N / cols);

const tiled: Variant<MatmulParams> = {
  name: "tiled",
  source: tiledSource,
  workgroups: (p) => spread(tiles(p, 64, 64)),
};

/**
 * Batched matrix product y[z] = a[z] · b[z] of strided operands.
 *
 * Holes: `Elem`; it may have an epilogue.
 */
export const matmul: Kernel<MatmulParams> = {
  name: "matmul",
  reads: ["a", "b", "e0", "e1"],
  writes: ["y"],
  types: { e0: ["E0", "f32"], e1: ["E1", "f32"] },
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
    rasteriser: [tiled],
  },
  prefer: ({ N }) => (N < 8 ? "direct" : "tiled"),
  epilogue: ({ N }) => N,
  linearIn: ({ N, bCol, bRow }) => (bCol === 1 && bRow === N ? "b" : undefined),
  cost: (p) => ({
    flops: 2 * batches(p) * p.M * p.N * p.K,
    bytes:
      4 * (distinct(p, p.aBatch) * p.M * p.K + distinct(p, p.bBatch) * p.K * p.N + batches(p) * p.M * p.N),
  }),
};

export const batches = ({ batch }: MatmulParams) => batch.reduce((count, size) => count * size, 1);

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
