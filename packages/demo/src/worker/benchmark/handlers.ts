import { benchmark, rows } from "@shadegrad/bench";
import { DeviceError } from "@shadegrad/tensor";
import type { BenchmarkReport, BenchmarkRun, BenchmarkTold } from "../../worker-client/protocol.ts";
import { theDevice } from "../device.ts";
import { exclusive } from "../exclusive.ts";

export const benchmarkRows = async (): Promise<readonly string[]> => rows().map(({ name }) => name);

export const benchmarkRun = (
  { names, variants }: BenchmarkRun,
  tell: (told: BenchmarkTold) => void,
): Promise<BenchmarkReport> =>
  exclusive(async (signal) => {
    const device = await theDevice();
    const wanted = rows().filter(({ name }) => names.includes(name));
    const measured = benchmark(device, {
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
    // The times that it waits for do not come from a device that is lost.
    const lost = device.lost.then(({ message }): never => {
      throw new DeviceError(message);
    });
    return Promise.race([measured, lost]);
  });
