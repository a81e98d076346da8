import { openDevice } from "../app/device.ts";
import { download } from "../app/download.ts";
import { change, state } from "../app/state.ts";
import type { BenchmarkMessage } from "../worker-client/messages/benchmark.ts";
import { type WorkerClient, WorkerError } from "../worker-client/worker-client.ts";
import { type Selection, selected } from "./selection.ts";
import type { BenchmarkState } from "./state.ts";

/** Actions of the Benchmark view. */
export class Benchmarking {
  readonly #client: WorkerClient;

  constructor(client: WorkerClient) {
    this.#client = client;
  }

  /** Fetch the names of all rows. */
  list = async (): Promise<void> => {
    try {
      set({ problem: undefined, names: await this.#client.call("benchmarkRows", null) });
    } catch (error) {
      const text = (error as Error).message;
      set({ problem: { title: "The benchmark did not load", text, retry: () => void this.list() } });
    }
  };

  choose(part: Partial<Selection>): void {
    set({ selection: { ...state.benchmark.selection, ...part } });
  }

  /** Measure the selected rows. */
  start = async (): Promise<void> => {
    const { names = [], selection, variants } = state.benchmark;
    const asked = selected(names, selection);
    set({ is: "running", asked, measuring: undefined, report: undefined, problem: undefined });
    try {
      if (state.device.is !== "open" && !(await openDevice(this.#client))) return;
      const report = await this.#client.call(
        "benchmarkRun",
        { names: asked, variants },
        { onProgress: receive },
      );
      set({ report });
    } catch (error) {
      set({ problem: { ...said(error), retry: () => void this.start() } });
    } finally {
      set({ is: "idle", measuring: undefined });
    }
  };

  /** Stop after the current row. */
  stop = async (): Promise<void> => {
    set({ is: "stopping" });
    await this.#client.call("benchmarkStop", null).catch(() => {});
  };

  /** Download the report as JSON, which `npm run bench -- --compare` reads. */
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

function receive(message: BenchmarkMessage): void {
  const { report } = state.benchmark;
  if (message.kind === "start") set({ report: message.report });
  else if (message.kind === "row") set({ measuring: message.name });
  else if (report) set({ report: { ...report, rows: [...report.rows, message.result] } });
}

/** Change this view's part of the state. */
export const set = (part: Partial<BenchmarkState>): void =>
  change({ benchmark: { ...state.benchmark, ...part } });

function said(error: unknown): { title: string; text: string } {
  const text = (error as Error).message;
  if (!(error instanceof WorkerError && error.isDevice)) return { title: "The benchmark stopped", text };
  const count = state.benchmark.report?.rows.length ?? 0;
  const kept =
    count === 0
      ? ""
      : ` The ${count === 1 ? "row" : `${count} rows`} measured before ${count === 1 ? "is" : "are"} kept below.`;
  return { title: "The GPU was lost while it was measured", text: `${text}${kept}` };
}
