import type { Quad } from "../axes.ts";
import { type Kernel, spread, type Variant } from "../launch/kernel.ts";
import direct from "./direct.wgsl?raw";
import type { MatmulParams } from "./params.ts";
import tiledSource from "./tiled.wgsl?raw";
import { batches, matmulInterface, matmulVariants, preferredTile, tiles } from "./tiles.ts";

export type { MatmulParams } from "./params.ts";
export { batches, tiles } from "./tiles.ts";

/*
 * The ladder of matmul. Times are µs in f32 on an H200 at full clock, by bench/results/gpu-kernels-h200.json:
 * A is 1024³, B 4096³, C 32×2048 · 2048×1000.
 *
 *   variant          what it adds                                                                A     B    C
 *   direct           an invocation per output: any shape and strides, the definition's twin      –     –    –
 *   tiled            64×64 tile in workgroup memory, scalar loads: any strides                 114  5215  157
 *   128×64×32        vec4 loads, the next slice prefetched: strides and sides in fours          78  4248  150
 *   64×64×32         twice the workgroups, for fewer rows                                       80  4303   96
 *   32×64×32         twice as many again                                                        87  5114   69
 *   32×64×32 split   K in up to 16 parts, and a launch that adds them: tiles that are few        –     –   15
 *   128×64×32 split  the same of large tiles, for k beyond 16,384, whose rounding would add up      –     –    –
 *   64×16×16         fewer columns, so that N ≤ 32 leaves less of a tile empty                 112  6495   80
 *
 * ` aᵀ` and ` bᵀ` after a tile's name: that operand's columns are contiguous, not its rows.
 * Software adapters run tiles in registers, by subgroup operations: `../rasteriser/matmul`.
 */

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
