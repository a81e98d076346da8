import { typical } from "./typical.mjs";

/**
 * @typedef {import("@shadegrad/tensor").Device} Device
 * @typedef {import("./row.mjs").Prepared} Prepared
 *
 * @typedef {object} Measured medians
 * @property {number} microseconds of all launches by the GPU's clock; where it has none, `wall` in long batches
 * @property {number} wall microseconds that a caller waits, encoding included
 * @property {number} spread of `microseconds`: the quartiles' distance over the median
 * @property {number} runs
 * @property {{ kernel: string, variant: string }[]} launches of one run
 * @property {boolean} timed whether by the GPU's clock
 */

const WARM_UP = 2;
const LEAST_RUNS = 7;
const LEAST_MILLISECONDS = 300;
/** Duration of a batch, beside which the way to the GPU and back is negligible. */
const BATCH_MILLISECONDS = 20;

/**
 * Medians over runs of `run(i)`, i counting up.
 *
 * @param {Device} device
 * @param {Prepared} prepared
 * @returns {Promise<Measured>}
 */
export async function measure(device, prepared) {
  const timed = device.adapter.features.has("timestamp-query");
  const clock = timed ? gpuClock(device.launcher) : undefined;
  const launches = launchesOf(device, prepared);
  try {
    let i = 0;
    const once = async (count = 1) => {
      if (prepared.before) {
        prepared.before(i);
        await device.synchronize();
        await clock?.read();
      }
      const begin = performance.now();
      for (let k = 0; k < count; k++) prepared.run(i++);
      await device.synchronize();
      const wall = performance.now() - begin;
      return { wall: (1000 * wall) / count, gpu: (await clock?.read()) ?? 0 };
    };
    for (let k = 0; k < WARM_UP; k++) await once();
    // A run that needs another before it is a batch of its own.
    const batch = timed || prepared.before ? 1 : Math.ceil((1000 * BATCH_MILLISECONDS) / (await once()).wall);
    const walls = [];
    const gpu = [];
    const begin = performance.now();
    while (walls.length < LEAST_RUNS || performance.now() - begin < LEAST_MILLISECONDS) {
      const times = await once(batch);
      walls.push(times.wall);
      gpu.push(timed ? times.gpu : times.wall);
    }
    const wall = typical(walls).microseconds;
    return { ...typical(gpu), wall, runs: walls.length, launches, timed };
  } finally {
    clock?.stop();
  }
}

/**
 * Launches of one run.
 *
 * @param {Device} device
 * @param {Prepared} prepared
 */
export function launchesOf({ launcher }, prepared) {
  /** @type {{ kernel: string, variant: string }[]} */
  const launches = [];
  prepared.before?.(0);
  const listener = launcher.onLaunch;
  // A launch of several stages counts as one.
  launcher.onLaunch = ({ stageOf, kernel, variant }) => launches.push(stageOf ?? { kernel, variant });
  try {
    prepared.run(0);
  } finally {
    launcher.onLaunch = listener;
  }
  return launches;
}

/**
 * Times every launch from here on; `read` gives the microseconds of all since it was last called.
 *
 * @param {Device["launcher"]} launcher
 */
function gpuClock(launcher) {
  let sum = 0;
  let arrived = 0;
  let counted = launcher.counts.launches;
  let notice = () => {};
  const before = launcher.onTimings;
  launcher.startTiming();
  launcher.onTimings = (timings) => {
    for (const { microseconds } of timings) sum += microseconds;
    arrived += timings.length;
    notice();
  };
  return {
    async read() {
      const expected = launcher.counts.launches - counted;
      while (arrived < expected) {
        await new Promise((resolve) => {
          notice = () => resolve(undefined);
        });
      }
      counted += expected;
      const taken = sum;
      [sum, arrived] = [0, 0];
      return taken;
    },
    stop() {
      launcher.stopTiming();
      launcher.onTimings = before;
    },
  };
}
