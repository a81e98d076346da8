import { benchmark, rows } from "@shadegrad/bench";
import type { BenchmarkReport, BenchmarkRun, BenchmarkTold } from "../../engine/protocol.ts";
import { theDevice } from "../device.ts";

let running: AbortController | undefined;

export const benchmarkRows = async (): Promise<readonly string[]> => rows().map(({ name }) => name);

export async function benchmarkRun(
  { names, variants }: BenchmarkRun,
  tell: (told: BenchmarkTold) => void,
): Promise<BenchmarkReport> {
  running?.abort();
  const { signal } = (running = new AbortController());
  const device = await theDevice();
  const wanted = rows().filter(({ name }) => names.includes(name));
  return benchmark(device, {
    rows: wanted.map((row) => ({
      ...row,
      prepare(device) {
        tell({ kind: "row", name: row.name });
        return row.prepare(device);
      },
    })),
    variants,
    signal,
    onStart: (report) => tell({ kind: "start", report }),
    onResult: (result) => tell({ kind: "result", result }),
  });
}

export async function benchmarkStop(): Promise<null> {
  running?.abort();
  return null;
}
