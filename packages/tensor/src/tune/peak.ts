import { copy, fma } from "@shadegrad/kernels-wgsl/rooflineProbe";
import { Generator } from "../core/generator.ts";
import { run } from "../core/run.ts";
import { scope } from "../core/scope.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { rand } from "../ops/random.ts";

/** Peak rates of an adapter. */
export interface Peak {
  /** Billions of multiplications and additions a second. */
  readonly gflops: number;
  /** Billions of bytes read and written a second. */
  readonly gbytes: number;
}

// Work of a few milliseconds, on a CPU and on a GPU.
const SIZES = {
  software: { sums: 1 << 14, steps: 512, fours: 1 << 20 },
  gpu: { sums: 1 << 21, steps: 1024, fours: 1 << 23 },
};

/** The best of so many runs of so many launches. */
const RUNS = 5;
const LAUNCHES = 8;

/** Measure the device's peak rates: multiply-adds alone, and copies alone. */
export async function measurePeak(device: Device = defaultDevice()): Promise<Peak> {
  const { sums, steps, fours } = SIZES[device.adapter.software ? "software" : "gpu"];
  const multiply = { length: sums, steps, scale: 0.75, shift: 0.5 };
  const x = scope(() => rand([4 * fours], { device, generator: new Generator(1) }));
  try {
    const rate = async (count: number, launch: () => void) => {
      let best = 0;
      for (let i = 0; i < RUNS; i++) {
        const start = performance.now();
        for (let j = 0; j < LAUNCHES; j++) scope(launch);
        await device.synchronize();
        best = Math.max(best, (count * LAUNCHES) / (performance.now() - start) / 1e6);
      }
      return best;
    };
    const gflops = await rate(fma.cost!(multiply).flops, () => {
      run(fma, multiply, [], [sums], { device });
    });
    const gbytes = await rate(copy.cost!({ length: fours }).bytes, () => {
      run(copy, { length: fours }, [x], [4 * fours]);
    });
    return { gflops, gbytes };
  } finally {
    x.dispose();
  }
}
