import type { Problem } from "../app/messages.ts";
import type { BenchmarkReport } from "../worker-client/messages/benchmark.ts";
import type { Selection } from "./selection.ts";

export interface BenchmarkState {
  /** Names of all rows, once they are known. */
  readonly names: readonly string[] | undefined;
  readonly selection: Selection;
  readonly variants: boolean;
  readonly is: "idle" | "running" | "stopping";
  /** Names of the rows of the last run. */
  readonly asked: readonly string[];
  /** The row that is being measured. */
  readonly measuring: string | undefined;
  /** Results so far; undefined until the adapter's peaks are known. */
  readonly report: BenchmarkReport | undefined;
  readonly problem: Problem | undefined;
}

export const emptyBenchmark: BenchmarkState = {
  names: undefined,
  selection: { kind: "short", text: "" },
  variants: false,
  is: "idle",
  asked: [],
  measuring: undefined,
  report: undefined,
  problem: undefined,
};
