import { type Kernel, spread, type Variant } from "../launch/kernel.ts";
import rows from "./rows.wgsl?raw";
import serial from "./serial.wgsl?raw";

/**
 * N rows of C logits; the share of the target that is spread over all classes; what dx is multiplied by; the label of
 * rows that do not count, with IGNORING.
 */
export type CrossEntropyParams = Record<"N" | "C" | "smoothing" | "scale" | "ignored", number>;

/** An invocation walks along a row. */
const alone: Variant<CrossEntropyParams> = {
  name: "serial",
  source: serial,
  workgroups: ({ N }) => spread(Math.ceil(N / 64)),
};

/** The same with a sum that is one block. */
const short: Variant<CrossEntropyParams> = {
  ...alone,
  name: "short",
  holes: { SHORT: true },
  fits: ({ C }) => C <= 16,
};

/**
 * The loss of each row, the weight of its class, and its gradient.
 *
 * Holes: `GRADIENT`, whether `dx` is written; `WEIGHTED`, whether classes have `weights`; `IGNORING`, whether rows of a
 * label do not count. `rowWeights` is written with either of the last two. What is not read or written may be of any size.
 */
export const crossEntropy: Kernel<CrossEntropyParams> = {
  name: "crossEntropy",
  reads: ["x", "labels", "weights"],
  writes: ["loss", "dx", "rowWeights"],
  types: { labels: "u32", weights: "f32", loss: "f32", dx: "f32", rowWeights: "f32" },
  params: { N: "u32", C: "u32", smoothing: "f32", scale: "f32", ignored: "u32" },
  // A barrier costs a software rasteriser more than the whole walk along a row.
  variants: {
    plain: alone,
    gpu: [{ name: "rows", source: rows, workgroups: ({ N }) => spread(N) }, short],
    rasteriser: [short],
  },
  prefer: ({ C }) => (C >= 32 ? "rows" : C > 16 ? "serial" : "short"),
  cost: ({ N, C }) => ({ flops: 8 * N * C, bytes: 8 * N * C }),
};

/** The definition, in float64; `weights` are 1 unless given, and no label is ignored unless `ignoring`. */
export function crossEntropyReference(
  x: ArrayLike<number>,
  labels: ArrayLike<number>,
  { N, C, smoothing, scale, ignored }: CrossEntropyParams,
  weights: ArrayLike<number> = new Float32Array(C).fill(1),
  ignoring = false,
): Record<"loss" | "dx" | "rowWeights", Float64Array> {
  const loss = new Float64Array(N);
  const dx = new Float64Array(N * C);
  const rowWeights = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    if (ignoring && labels[n] === ignored) continue;
    const row = Array.from({ length: C }, (_, c) => x[n * C + c]!);
    const most = row.reduce((m, logit) => Math.max(m, logit));
    const logSum = Math.log(row.reduce((total, logit) => total + Math.exp(logit - most), 0));
    const known = labels[n]! < C;
    const wanted = row.map((_, c) =>
      known ? weights[c]! * (smoothing / C + (c === labels[n] ? 1 - smoothing : 0)) : Number.NaN,
    );
    const total = wanted.reduce((sum, t) => sum + t, 0);
    rowWeights[n] = weights[Math.min(labels[n]!, C - 1)]!;
    for (const [c, logit] of row.entries()) {
      if (wanted[c] !== 0) loss[n]! -= wanted[c]! * (logit - most - logSum);
      dx[n * C + c] = scale * (total * Math.exp(logit - most - logSum) - wanted[c]!);
    }
  }
  return { loss, dx, rowWeights };
}
