import { batchNorm } from "@shadegrad/tensor";
import { gradRow, opRow } from "../row.mjs";
import { ACTIVATIONS, named, shapeOf, sizeOf } from "./activations.mjs";

/** Forward and back in training, with what the batch's own statistics cost. @returns {import("../row.mjs").Row[]} */
export const batchNorms = () =>
  ACTIVATIONS.flatMap((activations) => {
    const [size, name] = [sizeOf(activations), named(activations)];
    const channels = [activations[2]];
    const shapes = [shapeOf(activations), channels, channels];
    const train = (x, gamma, beta) => batchNorm(x, gamma, beta, { training: true });
    // x is read for the statistics, and read again and written; dy and x are read twice, and dx is written.
    return [
      opRow(`batchNorm ${name}`, { flops: 6 * size, bytes: 12 * size }, shapes, train),
      gradRow(`batchNorm dx ${name}`, { flops: 11 * size, bytes: 20 * size }, shapes, train),
    ];
  });
