import { type Kernel, strided } from "../launch/kernel.ts";
import source from "./resampleRows.wgsl?raw";

/** P rows of E numbers from row `top` on, where H rows become `to`; x begins with row `first`. */
export type ResampleRowsParams = Record<"H" | "to" | "top" | "first" | "P" | "E", number>;

/** Rows resized along the first axis by Pillow's bilinear filter. Hole: `Elem`, the type of x and y. */
export const resampleRows: Kernel<ResampleRowsParams> = {
  name: "resampleRows",
  reads: ["x"],
  writes: ["y"],
  params: { H: "u32", to: "u32", top: "u32", first: "u32", P: "u32", E: "u32" },
  variants: { plain: { name: "scalar", source, workgroups: ({ P, E }) => strided(P * E, 64) } },
  cost: ({ H, to, P, E }) => {
    const rows = P * Math.max(1, H / to);
    return { flops: 4 * rows * E, bytes: 4 * (rows + P) * E };
  },
};

/** Pixels of an axis that a pixel of the resized one is made of, and the share of each; they sum to 1. */
export interface Shares {
  readonly first: number;
  readonly shares: readonly number[];
}

/** The triangle around pixel `at` of `to`, on an axis of `side` pixels. */
export function triangle(at: number, side: number, to: number): Shares {
  const scale = side / to;
  const reach = Math.max(scale, 1);
  const centre = (at + 0.5) * scale;
  const first = Math.max(0, Math.floor(centre - reach + 0.5));
  const end = Math.min(side, Math.floor(centre + reach + 0.5));
  const parts = Array.from({ length: end - first }, (_, k) =>
    Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / reach),
  );
  const total = parts.reduce((sum, part) => sum + part, 0);
  return { first, shares: parts.map((part) => part / total) };
}

/** The definition, in float64. */
export function resampleRowsReference(
  x: ArrayLike<number>,
  { H, to, top, first, P, E }: ResampleRowsParams,
): Float64Array {
  const y = new Float64Array(P * E);
  for (let i = 0; i < P; i++) {
    const { first: from, shares } = triangle(top + i, H, to);
    for (const [k, part] of shares.entries())
      for (let e = 0; e < E; e++) y[i * E + e]! += part * x[(from + k - first) * E + e]!;
  }
  return y;
}
