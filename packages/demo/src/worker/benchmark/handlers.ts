import { benchmark, rows } from "@shadegrad/bench";
import { DeviceError } from "@shadegrad/tensor";
import type {
  BenchmarkMessage,
  BenchmarkReport,
  BenchmarkRun,
} from "../../worker-client/messages/benchmark.ts";
import { theDevice } from "../device.ts";
import { exclusive } from "../exclusive.ts";

export const benchmarkRows = async (): Promise<readonly string[]> => rows().map(({ name }) => name);

export const benchmarkRun = (
  { names, variants }: BenchmarkRun,
  onProgress: (message: BenchmarkMessage) => void,
): Promise<BenchmarkReport> =>
  exclusive(async (signal) => {
    const device = await theDevice();
    const wanted = rows().filter(({ name }) => names.includes(name));
    const measured = benchmark(device, {
      rows: wanted.map((row) => ({
        ...row,
        prepare(device) {
          onProgress({ kind: "row", name: row.name });
          return row.prepare(device);
        },
      })),
      variants,
      signal,
      onStart: (report) => onProgress({ kind: "start", report }),
      onResult: (result) => onProgress({ kind: "result", result }),
    });
    // The times that it waits for do not come from a device that is lost.
    const lost = device.lost.then(({ message }): never => {
      throw new DeviceError(message);
    });
    return Promise.race([measured, lost]);
  });
