import { measurePeak } from "@shadegrad/tensor";
import { measure } from "./measure.mjs";
import { rows as allRows } from "./rows/index.mjs";
import { insistOn, variantsOf } from "./variants.mjs";

/**
 * @typedef {import("@shadegrad/tensor").Device} Device
 *
 * @typedef {object} Result a row, measured
 * @property {string} name
 * @property {string} variant of the launch that costs most
 * @property {boolean} chosen whether the kernel would choose that variant here
 * @property {number} microseconds median of all its launches, by the GPU's clock if it has one
 * @property {number} wall microseconds that a caller waits
 * @property {number} spread the quartiles' distance over the median
 * @property {number} runs
 * @property {number} flops
 * @property {number} bytes that must move at least once
 *
 * @typedef {object} Report
 * @property {string} adapter
 * @property {boolean} software
 * @property {boolean} timed whether by the GPU's own clock
 * @property {{ gflops: number, gbytes: number }} peak what the adapter reaches, measured in the same run
 * @property {string} date
 * @property {Result[]} rows
 */

/**
 * Measure rows, one after the other, each on inputs that take turns.
 *
 * @param {Device} device
 * @param {object} [options]
 * @param {readonly import("./row.mjs").Row[]} [options.rows] all there are, unless given
 * @param {boolean} [options.variants] whether each variant that fits is measured, and not only the one that is chosen
 * @param {(report: Report) => void} [options.onStart] called with the adapter and its peak
 * @param {(result: Result) => void} [options.onResult] called with each row as it is done
 * @param {AbortSignal} [options.signal] ends it after the row that is being measured
 * @returns {Promise<Report>}
 */
export async function benchmark(device, options = {}) {
  const { rows = allRows(), variants = false, onStart, onResult, signal } = options;
  /** @type {Report} */
  const report = {
    adapter: device.name,
    software: device.adapter.software,
    timed: device.adapter.features.has("timestamp-query"),
    peak: await bestPeak(device),
    date: new Date().toISOString(),
    rows: [],
  };
  onStart?.(report);
  for (const row of rows) {
    for await (const result of measureRow(device, row, variants)) {
      report.rows.push(result);
      onResult?.(result);
      if (signal?.aborted) return report;
    }
  }
  return report;
}

/** Best of several measurements, since other work may disturb one. @param {Device} device */
async function bestPeak(device) {
  const peak = { gflops: 0, gbytes: 0 };
  for (let i = 0; i < 3; i++) {
    const { gflops, gbytes } = await measurePeak(device);
    peak.gflops = Math.max(peak.gflops, gflops);
    peak.gbytes = Math.max(peak.gbytes, gbytes);
  }
  return peak;
}

/**
 * @param {Device} device
 * @param {import("./row.mjs").Row} row
 * @param {boolean} all whether every variant
 * @returns {AsyncGenerator<Result>}
 */
async function* measureRow(device, { name, flops, bytes, prepare }, all) {
  const prepared = prepare(device);
  try {
    const { kernel, names } = variantsOf(device, prepared);
    const usual = await measure(device, prepared);
    const chosen = usual.launches.find((launch) => launch.kernel === kernel.name)?.variant ?? "";
    const result = (variant, { microseconds, wall, spread, runs }) => ({
      ...{ name, variant, chosen: variant === chosen, microseconds, wall, spread, runs, flops, bytes },
    });
    yield result(chosen, usual);
    for (const variant of all ? names.filter((variant) => variant !== chosen) : []) {
      const stop = insistOn(device, kernel, variant);
      try {
        yield result(variant, await measure(device, prepared));
      } finally {
        stop();
      }
    }
  } finally {
    prepared.dispose();
    device.trim();
  }
}
