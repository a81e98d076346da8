import { type Kernel, strided } from "../kernel.ts";
import source from "./map.wgsl?raw";

type Quad = readonly [number, number, number, number];
export type MapParams = Record<"shape0" | "shape1" | "a0" | "a1" | "b0" | "b1" | "c0" | "c1", Quad> & {
  length: number;
};

/**
 * Elementwise: y = f(a, b, c), with NumPy broadcasting when the hole `BROADCAST` is true.
 *
 * Holes: `f`, an expression in a, b and c; the element types `A B C Y` and the type `V` computed in.
 */
export const map: Kernel<MapParams> = {
  name: "map",
  reads: ["a", "b", "c"],
  writes: ["y"],
  params: {
    shape0: "vec4u",
    shape1: "vec4u",
    a0: "vec4u",
    a1: "vec4u",
    b0: "vec4u",
    b1: "vec4u",
    c0: "vec4u",
    c1: "vec4u",
    length: "u32",
  },
  variants: [{ name: "scalar", source, workgroups: ({ length }) => strided(length, 256) }],
  cost: ({ length }) => ({ flops: length, bytes: 4 * 3 * length }),
};

const NONE: Quad = [0, 0, 0, 0];
const ONES: Quad = [1, 1, 1, 1];

/** Parameters for operands that all have y's shape. */
export const dense = (length: number): MapParams => ({
  shape0: ONES,
  shape1: ONES,
  a0: NONE,
  a1: NONE,
  b0: NONE,
  b1: NONE,
  c0: NONE,
  c1: NONE,
  length,
});

/**
 * Parameters for broadcast operands: `shape` is y's, and each operand's strides count elements, 0
 * along an axis that it repeats. At most 8 axes, first axis first.
 */
export function broadcast(shape: readonly number[], strides: readonly (readonly number[])[]): MapParams {
  const quads = (values: readonly number[], fill: number): [Quad, Quad] => {
    const at = (axis: number) => values[values.length - 1 - axis] ?? fill;
    return [
      [at(0), at(1), at(2), at(3)],
      [at(4), at(5), at(6), at(7)],
    ];
  };
  const [shape0, shape1] = quads(shape, 1);
  const [[a0, a1], [b0, b1], [c0, c1]] = [0, 1, 2].map((i) => quads(strides[i] ?? [], 0)) as [
    [Quad, Quad],
    [Quad, Quad],
    [Quad, Quad],
  ];
  return { shape0, shape1, a0, a1, b0, b1, c0, c1, length: shape.reduce((size, side) => size * side, 1) };
}

/** The definition, in float64, for operands that all have y's shape. */
export function mapReference(
  f: (a: number, b: number, c: number) => number,
  a: ArrayLike<number>,
  b: ArrayLike<number> = a,
  c: ArrayLike<number> = a,
): Float64Array {
  return Float64Array.from({ length: a.length }, (_, i) => f(a[i]!, b[i]!, c[i]!));
}
