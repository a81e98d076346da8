import { choose, type Kernel } from "@shadegrad/kernels-wgsl";
import { depthFor, normalizeBatch, type TiledParams } from "@shadegrad/kernels-wgsl/batchNorm";
import { chunkOf, conv2d, conv2dMoments } from "@shadegrad/kernels-wgsl/conv2d";
import type { Recorded } from "../core/recorder.ts";
import { isSameBinding, newOutput } from "./bindings.ts";
import { countReaders, divide } from "./liveness.ts";

/**
 * Let convolutions leave the moments of their results, tile by tile, for the batch norm after them: `tileMoments`, a launch
 * that reads all of a result, is left out.
 *
 * The three launches have to follow one another, so that nothing that they read changes in between. A convolution stays as
 * it is where it has an epilogue, where a variant without moments is chosen for it (split k, matrix units, scalar tiles),
 * and where its tiles are so many that to add them up costs more than is saved (`depthFor`).
 */
export function leaveMoments(launches: readonly Recorded[]): readonly Recorded[] {
  const readers = countReaders(launches);
  const constant = new Set(divide(launches).constant);
  const result: Recorded[] = [];
  for (const norm of launches) {
    const [moments, product] = [result.at(-1), result.at(-2)];
    const isNorm = norm.kernel.name === normalizeBatch.name && readers.get(norm.reads[1]!.storage) === 1;
    // A product that is computed only when weights change would be computed at each call with the norm's scale.
    const isAlike = product && constant.has(product) === constant.has(moments!);
    const fused = isNorm && isAlike && together(product, moments!, norm);
    if (fused) result.splice(-2, 2, ...fused);
    else result.push(norm);
  }
  return result;
}

/** The convolution that leaves moments, and the norm that reads them; undefined if the three do not belong together. */
function together(product: Recorded, moments: Recorded, norm: Recorded): Recorded[] | undefined {
  const { kernel, params, holes, reads, writes } = product;
  const [y, partial] = [writes[0]!, norm.reads[1]!];
  const { M, C } = norm.params as TiledParams;
  const isOf =
    [moments, norm].every(({ reads: [x] }) => isSameBinding(x!, y)) &&
    isSameBinding(moments.writes[0]!, partial);
  const isAsked = [product, moments, norm].some((one) => one.paramsAtCall || one.variant || one.epilogue);
  const isSameShape = params.O === C && y.size === M * C;
  if (kernel.name !== conv2d.name || !isOf || isAsked || !isSameShape) return undefined;
  const { name: variant } = choose(kernel, params, y.storage.device.adapter, holes);
  const chunk = chunkOf(variant);
  if (!chunk) return undefined;
  const splits = Math.ceil(M / chunk);
  const DEPTH = depthFor({ M, C, chunk, splits }, y.dtype === "f16" ? 2 : 4);
  if (!DEPTH) return undefined;
  const left = newOutput(partial, 2 * C * (splits + 1));
  return [
    {
      ...{ ...product, kernel: conv2dMoments as unknown as Kernel, params: { ...params, chunk }, variant },
      ...{ reads: [...reads, ...moments.reads.slice(1)], writes: [y, left] },
    },
    {
      ...{ ...norm, params: { ...norm.params, chunk, splits }, reads: [y, left] },
      holes: { ...norm.holes, BY_CHUNK: true, DEPTH },
    },
  ];
}
