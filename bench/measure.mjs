/**
 * @typedef {import("@shadegrad/tensor").Device} Device
 * @typedef {{ microseconds: number, wall: number, variants: string[], timed: boolean }} Measured
 */

const WARM_UP = 2;
const LEAST_RUNS = 7;
const LEAST_MILLISECONDS = 300;

/**
 * Medians over runs of `run(i)`, i counting up: what its launches took by the GPU's clock, and what a caller
 * waits, encoding included. Without timestamps the first is the second.
 *
 * @param {Device} device
 * @param {(i: number) => void} run
 * @returns {Promise<Measured>}
 */
export async function measure(device, run) {
  const timed = device.adapter.features.has("timestamp-query");
  const clock = timed ? launchClock(device.launcher) : undefined;
  for (let i = 0; i < WARM_UP; i++) {
    run(i);
    await device.synchronize();
    await clock?.();
  }
  const walls = [];
  const launches = [];
  let variants = [];
  const begin = performance.now();
  for (let i = 0; i < LEAST_RUNS || performance.now() - begin < LEAST_MILLISECONDS; i++) {
    const before = performance.now();
    run(i);
    await device.synchronize();
    walls.push(1000 * (performance.now() - before));
    if (!clock) continue;
    const timings = await clock();
    launches.push(timings.reduce((sum, { microseconds }) => sum + microseconds, 0));
    variants = timings.map(({ variant }) => variant);
  }
  if (timed) device.launcher.stopTiming();
  const wall = median(walls);
  return { microseconds: timed ? median(launches) : wall, wall, variants, timed };
}

/**
 * Starts timing; what it returns resolves with the timings of all launches since it was last called.
 *
 * @param {Device["launcher"]} launcher
 */
function launchClock(launcher) {
  let timings = [];
  let counted = launcher.counts.launches;
  let arrived = () => {};
  launcher.startTiming();
  launcher.onTimings = (more) => {
    timings.push(...more);
    arrived();
  };
  return async () => {
    const expected = launcher.counts.launches - counted;
    while (timings.length < expected) {
      await new Promise((resolve) => {
        arrived = resolve;
      });
    }
    counted += expected;
    const taken = timings;
    timings = [];
    return taken;
  };
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
