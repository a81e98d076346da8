import { type Kernel, spread } from "../launch/kernel.ts";
import rows from "./rows.wgsl?raw";
import serial from "./serial.wgsl?raw";

/** N rows of C logits; the share of the target that is spread over all classes; what dx is multiplied by. */
export type CrossEntropyParams = Record<"N" | "C" | "smoothing" | "scale", number>;

/**
 * Each row's loss and its gradient, or the loss alone.
 *
 * Holes: `GRADIENT`, whether `dx` is written; without, it may be of any size.
 */
export const crossEntropy: Kernel<CrossEntropyParams> = {
  name: "crossEntropy",
  reads: ["x", "labels"],
  writes: ["loss", "dx"],
  params: { N: "u32", C: "u32", smoothing: "f32", scale: "f32" },
  // A barrier costs a software rasteriser more than the whole walk along a row.
  variants: {
    plain: { name: "serial", source: serial, workgroups: ({ N }) => spread(Math.ceil(N / 64)) },
    gpu: [{ name: "rows", source: rows, workgroups: ({ N }) => spread(N) }],
  },
  prefer: ({ C }) => (C >= 32 ? "rows" : "serial"),
  cost: ({ N, C }) => ({ flops: 8 * N * C, bytes: 8 * N * C }),
};

/** The definition, in float64. */
export function crossEntropyReference(
  x: ArrayLike<number>,
  labels: ArrayLike<number>,
  { N, C, smoothing, scale }: CrossEntropyParams,
): { loss: Float64Array; dx: Float64Array } {
  const loss = new Float64Array(N);
  const dx = new Float64Array(N * C);
  for (let n = 0; n < N; n++) {
    const row = Array.from({ length: C }, (_, c) => x[n * C + c]!);
    const most = Math.max(...row);
    const sum = row.reduce((total, logit) => total + Math.exp(logit - most), 0);
    const known = labels[n]! >= 0 && labels[n]! < C;
    for (const [c, logit] of row.entries()) {
      const t = known ? smoothing / C + (c === labels[n] ? 1 - smoothing : 0) : Number.NaN;
      if (t !== 0) loss[n]! -= t * (logit - most - Math.log(sum));
      dx[n * C + c] = scale * (Math.exp(logit - most) / sum - t);
    }
  }
  return { loss, dx };
}
