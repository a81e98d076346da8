import type { benchmark } from "@shadegrad/bench";

/** Report in the format of `npm run bench -- --json`. */
export type BenchmarkReport = Awaited<ReturnType<typeof benchmark>>;

export type BenchmarkResult = BenchmarkReport["rows"][number];

export interface BenchmarkRun {
  /** Names of the rows to measure. */
  readonly names: readonly string[];
  /** True to measure each variant that fits, not only the chosen one. */
  readonly variants: boolean;
}

export type BenchmarkMessage =
  /** The adapter and its peaks, without rows. */
  | { readonly kind: "start"; readonly report: BenchmarkReport }
  /** The row that is measured next. */
  | { readonly kind: "row"; readonly name: string }
  | { readonly kind: "result"; readonly result: BenchmarkResult };
