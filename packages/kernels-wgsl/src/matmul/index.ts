import { type Kernel, spread, type Variant } from "../launch/kernel.ts";
import direct from "./direct.wgsl?raw";
import type { MatmulParams, Quad } from "./params.ts";
import tiledSource from "./tiled.wgsl?raw";
import { batches, matmulInterface, matmulVariants, preferredTile, tiles } from "./tiles.ts";

export type { MatmulParams, Quad } from "./params.ts";
export { batches, tiles } from "./tiles.ts";

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
  ...matmulInterface,
  variants: {
    plain: {
      name: "direct",
      source: direct,
      workgroups: (p) => spread(Math.ceil((batches(p) * p.M * p.N) / 64)),
    },
    gpu: [...matmulVariants, tiled],
    rasteriser: [tiled],
  },
  prefer: (p, adapter) => preferredTile(p, adapter) ?? (p.N < 8 ? "direct" : "tiled"),
  epilogue: ({ N }) => N,
  linearIn: ({ N, bCol, bRow }) => (bCol === 1 && bRow === N ? "b" : undefined),
};

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
