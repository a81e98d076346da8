import { type GatherGradParams, type GatherParams, gatherGradTypes, gatherTypes } from "../gather/index.ts";
import { filling, type Kernel, strided } from "../launch/kernel.ts";
import source from "./gatherElements.wgsl?raw";
import gradSource from "./gatherElementsGrad.wgsl?raw";

/**
 * Elements picked by index along one axis: y[o, j, i] = x[o, index[o, j, i], i].
 *
 * Holes: `Elem`, the type of x and y; `Scalar`, that of `missing`; `Index`, that of the indices.
 */
export const gatherElements: Kernel<GatherParams> = {
  name: "gatherElements",
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
  cost: ({ outer, count, inner }) => ({ flops: 0, bytes: 12 * outer * count * inner }),
};

/** The gradient of `gatherElements`: each element of dx is the sum of the elements of dy that it went to. */
export const gatherElementsGrad: Kernel<GatherGradParams> = {
  name: "gatherElementsGrad",
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
    bytes: 4 * outer * (size + 2 * count) * inner,
  }),
};

/** The definition. */
export function gatherElementsReference(
  x: ArrayLike<number>,
  index: ArrayLike<number>,
  { outer, size, inner, count }: GatherGradParams,
  missing: number,
): Float64Array {
  return Float64Array.from({ length: outer * count * inner }, (_, at) => {
    const k = index[at]!;
    const o = Math.floor(at / inner / count);
    return k >= 0 && k < size ? x[(o * size + k) * inner + (at % inner)]! : missing;
  });
}

/** The definition, in float64. */
export function gatherElementsGradReference(
  dy: ArrayLike<number>,
  index: ArrayLike<number>,
  { outer, size, inner, count }: GatherGradParams,
): Float64Array {
  const dx = new Float64Array(outer * size * inner);
  for (let at = 0; at < outer * count * inner; at++) {
    const k = index[at]!;
    const o = Math.floor(at / inner / count);
    if (k >= 0 && k < size) dx[(o * size + k) * inner + (at % inner)]! += dy[at]!;
  }
  return dx;
}
