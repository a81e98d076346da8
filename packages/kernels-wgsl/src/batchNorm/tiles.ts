import { type Holes, type Kernel, type ParamValues, spread, type Variants } from "../launch/kernel.ts";
import normalizeSource from "./normalizeBatch.wgsl?raw";
import tileMomentsSource from "./tileMoments.wgsl?raw";

/** Rows M = N·H·W, in `splits` chunks of `chunk`, and channels C. */
export type TiledParams = Record<"M" | "C" | "splits" | "chunk", number>;

/** Channels of a workgroup's tile: 64 bytes of a row, two sectors of a GPU's cache. */
const CHANNELS = 16;
/** Workgroups that the first pass is to have: two on each multiprocessor of a large GPU. */
const BUSY = 256;
/** Partial sums that each workgroup of the second pass adds up for its channels: 16 KiB at most, from the cache. */
const MOST_SPLITS = 128;
/** Rows that a chunk has at least: four for each invocation of a column. */
const SHORTEST = 256;

/** Division of the rows among the workgroups of the first pass. */
export function tiledParams(rows: number, channels: number): TiledParams {
  const tiles = Math.ceil(channels / CHANNELS);
  const most = Math.min(MOST_SPLITS, Math.ceil(BUSY / tiles), Math.ceil(rows / SHORTEST));
  const chunk = Math.ceil(rows / Math.max(1, most));
  return { M: rows, C: channels, splits: Math.ceil(rows / chunk), chunk };
}

const THREADS = 256;

/** Rows of each invocation of the second pass, and of a workgroup's invocations side by side in `tiles4`. */
const LEAST_DEPTH = 8;
const SIDE_BY_SIDE = 64;

/**
 * Price of a launch: 2 µs, the least of the 2 to 4 that one costs on an H200 (`splitsOf`). Bytes that memory moves in that time at
 * 3 of its 4.8 TB/s, and loads that an invocation can wait for one after the other, at half a µs each.
 */
const LAUNCH = { bytes: 6e6, loads: 4 };

/**
 * DEPTH of the second pass where the convolution before it leaves the moments of its tiles, many short chunks; undefined
 * where that does not pay. Bytes of each channel, with e bytes an element:
 *
 *   the pass over x that is saved                       e · M, and a launch
 *   moments and first rows that the second pass reads   (8 + e) · splits in each of its M / (64 · DEPTH) workgroups
 *
 * DEPTH is the least for which the second is no more than the first; it is read from the cache. The price of few and long
 * workgroups is that each invocation waits for more loads in a row, which are to be no more together than apart:
 *
 *   apart      chunk / 64 in the first pass, splits / 64 + 8 in the second one, and a launch
 *   together   splits / 64 + DEPTH, of the convolution's splits
 *
 * Of a ResNet-50 at 32 images of 224², f32, 46 of 53 norms have it: DEPTH is 33 or 35 at 56² (784 chunks of 128 rows), 8 or 9
 * below. The six of 64 channels at 56² would wait for 42 loads in place of 37; the first one, at 112², is of RGB. Of a
 * ResNet-20 at 128 images of 32², 12 of 19 have it: those at 16² (512 chunks of 64 rows) wait for 18 loads in place of 18,
 * those at 8² for 12 in place of 16. The six at 32² (2048 chunks) would wait for 88 in place of 30. This has not been timed.
 */
export function depthFor({ M, C, splits }: TiledParams, e: number): number | undefined {
  const rows = (M * C * (8 + e) * splits) / (e * M * C + LAUNCH.bytes);
  const depth = Math.max(LEAST_DEPTH, Math.ceil(rows / SIDE_BY_SIDE));
  return loadsOf(splits, depth) <= loadsApart(M, C) + LAUNCH.loads ? depth : undefined;
}

/** Loads of an invocation of the second pass, one after the other. */
const loadsOf = (splits: number, depth: number): number => splits / SIDE_BY_SIDE + depth;

/** The same of both passes where the first one reads x. */
function loadsApart(M: number, C: number): number {
  const { chunk, splits } = tiledParams(M, C);
  return chunk / SIDE_BY_SIDE + loadsOf(splits, LEAST_DEPTH);
}

/** Four channels in each column of a tile, or one where they cannot be divided by four. */
function tiled<P extends ParamValues & { C: number }>(
  source: string,
  rowsOf: (p: P, width: number, holes: Holes) => number,
  holes: Record<string, string>,
): Variants<P> {
  const workgroups = (width: number) => (p: P, given: Holes) =>
    spread(rowsOf(p, width, given) * Math.ceil(p.C / CHANNELS));
  return {
    plain: { name: "tiles", source, workgroups: workgroups(CHANNELS) },
    gpu: [
      {
        name: "tiles4",
        source,
        holes: { ...{ COLUMNS: CHANNELS / 4, WIDTH: 4, Vec: "vec4f", StoredVec: "vec4<Elem>" }, ...holes },
        fits: ({ C }) => C % 4 === 0,
        workgroups: workgroups(CHANNELS / 4),
      },
    ],
  };
}

/** A tile for each chunk. */
export const byChunk = <P extends TiledParams & ParamValues>(source: string): Variants<P> =>
  tiled<P>(source, ({ splits }) => splits, {});

/** A tile for DEPTH rows of each invocation. */
export const byRows = <P extends Pick<TiledParams, "M" | "C"> & ParamValues>(source: string): Variants<P> =>
  tiled<P>(
    source,
    ({ M }, columns, { DEPTH = LEAST_DEPTH }) => Math.ceil(M / ((THREADS / columns) * Number(DEPTH))),
    {
      ...{ Bits: "vec4u", StoredVec0: "vec4<E0>", StoredVec1: "vec4<E1>" },
    },
  );

export const CHUNKS = { M: "u32", C: "u32", splits: "u32", chunk: "u32" } as const;

/**
 * Forward, first pass: mean beyond the first row, and sum of squares of what is left without it, of each chunk of rows;
 * gamma and beta before them.
 */
export const tileMoments: Kernel<TiledParams> = {
  name: "tileMoments",
  reads: ["x", "gamma", "beta"],
  writes: ["partial"],
  types: { gamma: "f32", beta: "f32", partial: "f32" },
  params: CHUNKS,
  variants: byChunk(tileMomentsSource),
  cost: ({ M, C }) => ({ flops: 3 * M * C, bytes: 4 * M * C }),
};

/**
 * Forward, second pass: y, the batch's mean and variance, and the running ones, which follow them.
 *
 * Holes: `TRACK`, whether there are running statistics; `BY_CHUNK`, whether chunks are the tiles of a convolution that left
 * the moments, and `DEPTH`, by `depthFor`; `Elem`; it may have an epilogue.
 */
export const normalizeBatch: Kernel<
  TiledParams & Record<"varianceAt" | "batchesAt" | "momentum" | "eps", number>
> = {
  name: "normalizeBatch",
  reads: ["x", "partial", "e0", "e1"],
  writes: ["y", "statistics", "running"],
  types: { partial: "f32", e0: ["E0", "f32"], e1: ["E1", "f32"], statistics: "f32", running: "u32" },
  params: { ...CHUNKS, varianceAt: "u32", batchesAt: "u32", momentum: "f32", eps: "f32" },
  variants: byRows(normalizeSource),
  epilogue: ({ C }) => C,
  cost: ({ M, C }) => ({ flops: 3 * M * C, bytes: 8 * M * C }),
};
