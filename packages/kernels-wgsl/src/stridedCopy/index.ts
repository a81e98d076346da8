import { collapse, type Quad, quads } from "../axes.ts";
import { filling, type Kernel, spread, type Variant } from "../launch/kernel.ts";
import { multiplesOf4 } from "../launch/tiles.ts";
import blocks from "./blocks.wgsl?raw";
import source from "./stridedCopy.wgsl?raw";
import source4 from "./stridedCopy4.wgsl?raw";

export type StridedCopyParams = Record<"shape0" | "shape1" | "x0" | "x1" | "y0" | "y1", Quad> &
  Record<"length" | "axes" | "xOffset" | "yOffset", number>;

const fast: readonly Variant<StridedCopyParams>[] = [
  {
    name: "vec4 rows",
    source: source4,
    holes: { AXES: 2 },
    fits: (p) => isVec4Copy(p) && p.axes <= 2,
    workgroups: ({ length }) => filling(length / 4, 256),
  },
  { name: "vec4", source: source4, fits: isVec4Copy, workgroups: ({ length }) => filling(length / 4, 256) },
  {
    name: "blocks",
    source: blocks,
    holes: { TILE: 32 },
    fits: inBlocks,
    workgroups: ({ shape0: [i, j], length }, { TILE }) => {
      if (length === 0) return [0, 0, 0];
      const tiles = (side: number) => Math.ceil(side / Number(TILE));
      return spread((length / i / j) * tiles(i) * tiles(j));
    },
  },
  {
    name: "rows",
    source,
    holes: { AXES: 2 },
    fits: (p) => p.axes <= 2,
    workgroups: ({ length }) => filling(length, 256),
  },
];

/**
 * A copy that walks both arrays by strides: y[yOffset + Σ k·yStride] = x[xOffset + Σ k·xStride].
 *
 * Holes: `Elem`, the type of both.
 */
export const stridedCopy: Kernel<StridedCopyParams> = {
  name: "stridedCopy",
  reads: ["x"],
  writes: ["y"],
  params: {
    shape0: "vec4u",
    shape1: "vec4u",
    x0: "vec4u",
    x1: "vec4u",
    y0: "vec4u",
    y1: "vec4u",
    length: "u32",
    axes: "u32",
    xOffset: "u32",
    yOffset: "u32",
  },
  variants: {
    plain: { name: "scalar", source, workgroups: ({ length }) => filling(length, 256) },
    gpu: fast,
    rasteriser: fast,
  },
  cost: ({ length }) => ({ flops: 0, bytes: 8 * length }),
};

function isVec4Copy({ shape0, x0, x1, y0, y1, xOffset, yOffset }: StridedCopyParams): boolean {
  const [, ...x] = x0;
  const [, ...y] = y0;
  const side = shape0[0];
  return x0[0] === 1 && y0[0] === 1 && multiplesOf4(side, ...x, ...x1, ...y, ...y1, xOffset, yOffset);
}

function inBlocks({ shape0, x0, x1, y0, y1, xOffset, yOffset }: StridedCopyParams): boolean {
  const [i, j] = shape0;
  const [xi, xj, ...x] = x0;
  const [yi, yj, ...y] = y0;
  return xj === 1 && yi === 1 && multiplesOf4(i, j, xi, yj, ...x, ...x1, ...y, ...y1, xOffset, yOffset);
}

/** Walk of an array: elements between neighbours along each axis, and where the first one is. */
export interface StridedView {
  readonly strides: readonly number[];
  readonly offset: number;
}

/**
 * Parameters to copy the positions of `shape`, first axis first.
 *
 * @throws KernelError if more than 8 axes cannot be merged with their neighbours.
 */
export function stridedCopyParams(
  shape: readonly number[],
  x: StridedView,
  y: StridedView,
): StridedCopyParams {
  const walk = collapse(shape, [x.strides, y.strides]);
  const axes = walk.shape.map((side, i) => ({ side, x: walk.strides[0]![i]!, y: walk.strides[1]![i]! }));
  // The order of all but the last axis is free: second comes the one along which x can be read by fours.
  const contiguous = axes.findIndex((axis) => axis.x === 1);
  if (contiguous > 1) axes.splice(1, 0, ...axes.splice(contiguous, 1));
  const [shape0, shape1] = quads(
    axes.map(({ side }) => side),
    1,
  );
  const [x0, x1] = quads(
    axes.map(({ x }) => x),
    0,
  );
  const [y0, y1] = quads(
    axes.map(({ y }) => y),
    0,
  );
  const length = shape.reduce((size, side) => size * side, 1);
  return { shape0, shape1, x0, x1, y0, y1, length, axes: axes.length, xOffset: x.offset, yOffset: y.offset };
}

/** The definition: y after the copy, from what it held before. */
export function stridedCopyReference(
  shape: readonly number[],
  { x, at: from }: { x: ArrayLike<number>; at: StridedView },
  { y, at: to }: { y: ArrayLike<number>; at: StridedView },
): Float64Array {
  const after = Float64Array.from(y);
  const visit = (axis: number, i: number, j: number): void => {
    if (axis === shape.length) after[j] = x[i]!;
    else
      for (let k = 0; k < shape[axis]!; k++)
        visit(axis + 1, i + k * from.strides[axis]!, j + k * to.strides[axis]!);
  };
  visit(0, from.offset, to.offset);
  return after;
}
