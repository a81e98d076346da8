import { expect, it } from "vitest";
import { Launcher } from "../src/launch/launcher.ts";
import { Stopwatch } from "../src/launch/stopwatch.ts";
import { fma } from "../src/rooflineProbe/index.ts";
import { openDevice } from "./device.ts";

it.each([true, false])("times what work there is (timestamps: %s)", async (timestamps) => {
  const { device, adapter } = await openDevice();
  const fail = (error: Error) => {
    throw error;
  };
  const launcher = new Launcher(device, adapter, fail);
  const buffer = device.createBuffer({ size: 4 << 12, usage: 0x80 });
  const programOf = (steps: number) => {
    const params = { length: 1 << 12, steps, scale: 0.75, shift: 0.5 };
    return launcher.prepare([{ kernel: fma as never, params, buffers: [{ buffer }] }]);
  };
  const [short, long] = [await programOf(2048), await programOf(8 * 2048)];
  const features = timestamps ? device.features : new Set();
  const stopwatch = new Stopwatch(
    new Proxy(device, {
      get: (of, name) => {
        if (name === "features") return features;
        const value = Reflect.get(of, name);
        return typeof value === "function" ? value.bind(of) : value;
      },
    }),
  );
  const measured = async (program: typeof short, runs: number) => {
    const all: number[] = [];
    for (let i = 0; i < 5; i++) all.push(await stopwatch.time(program, runs));
    return all.sort((a, b) => a - b)[2]!;
  };
  await stopwatch.time(short, 1);
  const [one, eight, many] = [await measured(short, 4), await measured(long, 4), await measured(short, 32)];
  expect(one).toBeGreaterThan(0);
  expect(eight / one).toBeGreaterThan(3);
  // Microseconds of each run, however many there are.
  expect(many / one).toBeGreaterThan(0.3);
  expect(many / one).toBeLessThan(3);
  stopwatch.destroy();
});
