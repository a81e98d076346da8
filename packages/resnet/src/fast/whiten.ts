import { assign } from "@shadegrad/tensor";
import { inputWriter } from "../data/augment.ts";
import type { Dataset } from "../data/index.ts";
import { type FastNet, PATCH } from "./fastnet.ts";

/** Images whose patches are looked at: enough for a covariance of 12 × 12. */
const IMAGES = 5000;
/** Added to eigenvalues, so that directions in which patches hardly differ are not blown up. */
const EPSILON = 5e-4;

/**
 * Fix the first convolution of a {@link FastNet} by the data: its outputs are uncorrelated and of deviation 1, each direction
 * with both signs (Page 2018, "How to train your ResNet" 8; Jordan 2024, section 3.2).
 *
 * The weights are the eigenvectors of the covariance of the 2×2 patches of the first 5,000 images, each divided by the
 * square root of its eigenvalue.
 */
export async function whiten(net: FastNet, data: Dataset): Promise<void> {
  const covariance = await covarianceOfPatches(data);
  const { values, vectors } = eigen(covariance, PATCH);
  const [R, S, C, O] = net.whitening.weight.shape as [number, number, number, number];
  const weight = new Float32Array(R * S * C * O);
  for (let k = 0; k < PATCH; k++) {
    const scale = 1 / Math.sqrt(values[k]! + EPSILON);
    for (let i = 0; i < PATCH; i++) {
      weight[i * O + k] = vectors[i * PATCH + k]! * scale;
      weight[i * O + PATCH + k] = -weight[i * O + k]!;
    }
  }
  assign(net.whitening.weight, weight);
}

/** Σ patch · patchᵀ / count over all 2×2 patches, [R, S, C] row-major, of normalised images. `[12, 12]` */
async function covarianceOfPatches(data: Dataset): Promise<Float64Array> {
  const writer = inputWriter(data);
  const [H, W, C] = data.shape;
  const image = new Float32Array(H * W * C);
  const sum = new Float64Array(PATCH * PATCH);
  const count = Math.min(IMAGES, data.length);
  const patch = new Float64Array(PATCH);
  for (let i = 0; i < count; i++) {
    writer.write((await data.read(i)).image, image, 0, 0, i);
    for (let h = 0; h + 1 < H; h++)
      for (let w = 0; w + 1 < W; w++) {
        for (let at = 0; at < PATCH; at++) {
          const [r, s, c] = [Math.floor(at / (2 * C)), Math.floor(at / C) % 2, at % C];
          patch[at] = image[((h + r) * W + w + s) * C + c]!;
        }
        for (let a = 0; a < PATCH; a++)
          for (let b = 0; b <= a; b++) sum[a * PATCH + b]! += patch[a]! * patch[b]!;
      }
  }
  const patches = count * (H - 1) * (W - 1);
  return Float64Array.from(sum, (_, at) => {
    const [a, b] = [Math.floor(at / PATCH), at % PATCH];
    return sum[Math.max(a, b) * PATCH + Math.min(a, b)]! / patches;
  });
}

/**
 * Eigenvalues, the largest first, and eigenvectors, as columns, of a symmetric matrix: Jacobi's rotations (Golub & Van Loan,
 * "Matrix computations", section 8.5). The first number of each vector that is not 0 is positive.
 */
export function eigen(matrix: ArrayLike<number>, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = Float64Array.from(matrix);
  const v = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  for (let sweep = 0; sweep < 50 && offDiagonal(a, n) > 0; sweep++)
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);

  const order = Array.from({ length: n }, (_, k) => k).sort((i, j) => a[j * n + j]! - a[i * n + i]!);
  const signs = order.map((k) =>
    Math.sign(Array.from({ length: n }, (_, i) => v[i * n + k]!).find((x) => Math.abs(x) > 1e-12) ?? 1),
  );
  return {
    values: Float64Array.from(order, (k) => a[k * n + k]!),
    vectors: Float64Array.from({ length: n * n }, (_, at) => {
      const column = at % n;
      return v[at - column + order[column]!]! * signs[column]!;
    }),
  };
}

const offDiagonal = (a: Float64Array, n: number): number =>
  a.reduce((sum, value, at) => (at % (n + 1) === 0 ? sum : sum + value * value), 0);

/** Turn axes p and q so that a[p, q] becomes 0, and gather the turns in v. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const off = a[p * n + q]!;
  if (off === 0) return;
  const ratio = (a[q * n + q]! - a[p * n + p]!) / (2 * off);
  const t = (ratio >= 0 ? 1 : -1) / (Math.abs(ratio) + Math.sqrt(1 + ratio * ratio));
  const cos = 1 / Math.sqrt(1 + t * t);
  const sin = t * cos;
  const turn = (m: Float64Array, i: number, j: number) => {
    const [x, y] = [m[i]!, m[j]!];
    m[i] = cos * x - sin * y;
    m[j] = sin * x + cos * y;
  };
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q);
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k);
  for (let k = 0; k < n; k++) turn(v, k * n + p, k * n + q);
  a[p * n + q] = a[q * n + p] = 0;
}
