import { openDevice } from "../app/device.ts";
import { download } from "../app/download.ts";
import { change, state } from "../app/state.ts";
import { type Engine, EngineError } from "../engine/engine.ts";
import type { BenchmarkTold } from "../engine/protocol.ts";
import { type Selection, selected } from "./selection.ts";
import type { BenchmarkState } from "./state.ts";

/** What a visitor can do in the benchmark's view. */
export class Benchmarking {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Learn what can be measured. */
  list = async (): Promise<void> => {
    try {
      set({ problem: undefined, names: await this.#engine.call("benchmarkRows", null) });
    } catch (error) {
      const text = (error as Error).message;
      set({ problem: { title: "The benchmark did not come", text, retry: () => void this.list() } });
    }
  };

  choose(part: Partial<Selection>): void {
    set({ selection: { ...state.benchmark.selection, ...part } });
  }

  /** Measure what is selected. */
  start = async (): Promise<void> => {
    const { names = [], selection, variants } = state.benchmark;
    const asked = selected(names, selection);
    set({ is: "running", asked, measuring: undefined, report: undefined, problem: undefined });
    try {
      if (state.device.is !== "open" && !(await openDevice(this.#engine))) return;
      const report = await this.#engine.call("benchmarkRun", { names: asked, variants }, { tell });
      set({ report });
    } catch (error) {
      set({ problem: { ...said(error), retry: () => void this.start() } });
    } finally {
      set({ is: "idle", measuring: undefined });
    }
  };

  /** Let the row that is being measured be the last. */
  stop = async (): Promise<void> => {
    set({ is: "stopping" });
    await this.#engine.call("benchmarkStop", null).catch(() => {});
  };

  /** All results as a file, to be read by programs and by `npm run bench -- --compare`. */
  download = (): void => {
    const { report } = state.benchmark;
    if (!report) return;
    const described = { ...report, browser: navigator.userAgent };
    const json = `${JSON.stringify(described, undefined, 1)}\n`;
    download(
      new Blob([json], { type: "application/json" }),
      `shadegrad-bench-${report.date.slice(0, 10)}.json`,
    );
  };
}

function tell(told: BenchmarkTold): void {
  const { report } = state.benchmark;
  if (told.kind === "start") set({ report: told.report });
  else if (told.kind === "row") set({ measuring: told.name });
  else if (report) set({ report: { ...report, rows: [...report.rows, told.result] } });
}

/** Change this view's part of the state. */
export const set = (part: Partial<BenchmarkState>): void =>
  change({ benchmark: { ...state.benchmark, ...part } });

function said(error: unknown): { title: string; text: string } {
  const text = (error as Error).message;
  if (!(error instanceof EngineError && error.isDevice)) return { title: "The benchmark stopped", text };
  const count = state.benchmark.report?.rows.length ?? 0;
  const kept =
    count === 0
      ? ""
      : ` The ${count === 1 ? "row" : `${count} rows`} measured before ${count === 1 ? "is" : "are"} kept below.`;
  return { title: "The GPU was lost while it was measured", text: `${text}${kept}` };
}
