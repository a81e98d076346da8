import { matmul as matmulKernel } from "@shadegrad/kernels-wgsl/matmul";
import { matmul } from "@shadegrad/tensor";
import { costOf, kernelRow, opRow } from "../row.mjs";

/** Squares, and the classifiers of ResNets; and with one operand transposed, as gradients have them. */
export const products = () => [
  ...square(512),
  eager(1, 512, 1000),
  eager(1, 2048, 1000),
  eager(32, 2048, 1000),
  eager(32, 64, 10),
];

/** @param {number} side */
function square(side) {
  const transposed = (aT, bT) => {
    const p = params(side, side, side, aT, bT);
    const lengths = { a: side * side, b: side * side, y: side * side };
    return kernelRow(
      `matmul ${side}³ ${aT ? "aᵀ b" : "a bᵀ"}`,
      [{ kernel: matmulKernel, params: p, buffers: ["a", "b", "y"] }],
      lengths,
    );
  };
  return [eager(side, side, side), transposed(true, false), transposed(false, true)];
}

/**
 * @param {number} M
 * @param {number} K
 * @param {number} N
 */
function eager(M, K, N) {
  const name = M === K && K === N ? `${M}³` : `${M}×${K} · ${K}×${N}`;
  return opRow(
    `matmul ${name}`,
    costOf(matmulKernel, params(M, K, N)),
    [
      [M, K],
      [K, N],
    ],
    matmul,
  );
}

/** @returns {import("@shadegrad/kernels-wgsl/matmul").MatmulParams} */
function params(M, K, N, aT = false, bT = false) {
  return {
    ...{ batch: [1, 1, 1, 1], aBatch: [0, 0, 0, 0], bBatch: [0, 0, 0, 0], M, N, K },
    ...{ aRow: aT ? 1 : K, aCol: aT ? M : 1, bRow: bT ? 1 : N, bCol: bT ? K : 1 },
  };
}
