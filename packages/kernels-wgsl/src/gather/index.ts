import { bits, type Scalar } from "../launch/bits.ts";
import { filling, type Kernel, strided } from "../launch/kernel.ts";
import source from "./gather.wgsl?raw";
import gradSource from "./gatherGrad.wgsl?raw";

/** `count` rows picked of `size`, between axes of `outer` and `inner` elements. */
export type GatherGradParams = Record<"outer" | "size" | "inner" | "count", number>;

/** `missing`: the bits of what a row that does not exist becomes. */
export type GatherParams = GatherGradParams & { missing: number };

export const gatherGradTypes = { outer: "u32", size: "u32", inner: "u32", count: "u32" } as const;
export const gatherTypes = { ...gatherGradTypes, missing: "u32" } as const;

/**
 * Rows picked by index along one axis: y[o, j, i] = x[o, index[j], i].
 *
 * Holes: `Elem`, the type of x and y; `Scalar`, that of `missing`; `Index`, that of the indices.
 */
export const gather: Kernel<GatherParams> = {
  name: "gather",
  reads: ["x", "index"],
  writes: ["y"],
  types: { index: ["Index", "i32"] },
  params: gatherTypes,
  variants: {
    plain: {
      name: "scalar",
      source,
      workgroups: ({ outer, count, inner }) => filling(outer * count * inner, 256),
    },
  },
  cost: ({ outer, count, inner }) => ({ flops: 0, bytes: 8 * outer * count * inner }),
};

/** The gradient of `gather`: each row of dx is the sum of the rows of dy that it went to. Holes: `Elem`, `Index`. */
export const gatherGrad: Kernel<GatherGradParams> = {
  name: "gatherGrad",
  reads: ["dy", "index"],
  writes: ["dx"],
  types: { index: ["Index", "i32"] },
  params: gatherGradTypes,
  variants: {
    plain: {
      name: "scalar",
      source: gradSource,
      workgroups: ({ outer, size, inner }) => strided(outer * size * inner, 256),
    },
  },
  cost: ({ outer, size, count, inner }) => ({
    flops: outer * count * inner,
    bytes: 4 * outer * (size + count) * inner,
  }),
};

/** Parameters to pick `count` of the `size` rows; one that is not there becomes `missing`, of type `type`. */
export function gatherParams(
  [outer, size, inner]: readonly [number, number, number],
  count: number,
  type: Scalar,
  missing: number,
): GatherParams {
  return { outer, size, inner, count, missing: bits(type, missing) };
}

/** The definition. */
export function gatherReference(
  x: ArrayLike<number>,
  index: ArrayLike<number>,
  { outer, size, inner, count }: GatherGradParams,
  missing: number,
): Float64Array {
  return Float64Array.from({ length: outer * count * inner }, (_, at) => {
    const [o, j, i] = [Math.floor(at / inner / count), Math.floor(at / inner) % count, at % inner];
    const k = index[j]!;
    return k >= 0 && k < size ? x[(o * size + k) * inner + i]! : missing;
  });
}

/** The definition, in float64. */
export function gatherGradReference(
  dy: ArrayLike<number>,
  index: ArrayLike<number>,
  { outer, size, inner, count }: GatherGradParams,
): Float64Array {
  const dx = new Float64Array(outer * size * inner);
  for (let o = 0; o < outer; o++)
    for (let j = 0; j < count; j++) {
      const k = index[j]!;
      if (k < 0 || k >= size) continue;
      for (let i = 0; i < inner; i++) dx[(o * size + k) * inner + i]! += dy[(o * count + j) * inner + i]!;
    }
  return dx;
}
