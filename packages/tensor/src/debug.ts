import type { Adapter, Launcher } from "@shadegrad/kernels-wgsl";

/** 1 leaks, steps, and which op made a NaN · 2 a line per kernel too: `DEBUG` in Node, `?debug=` in a page. */
export const debugLevel: number = readLevel();

function readLevel(): number {
  const fromNode = typeof process === "undefined" ? undefined : process.env?.DEBUG;
  const search = typeof location === "undefined" ? "" : location.search;
  return Number(fromNode ?? new URLSearchParams(search).get("debug") ?? 0) || 0;
}

/** What the kernels are called that look for NaN. */
export const NAN_CHECK = "NaN check";

/** At level 2, print each launch: with its time and rates where the adapter has timestamps. */
export function traceLaunches(launcher: Launcher, adapter: Adapter): void {
  if (debugLevel < 2) return;
  if (!adapter.features.has("timestamp-query")) {
    launcher.onLaunch = ({ kernel, variant }) => {
      if (kernel !== NAN_CHECK) console.log(`${kernel} ${variant}`);
    };
    return;
  }
  launcher.startTiming();
  launcher.onTimings = (timings) => {
    for (const { kernel, variant, microseconds, cost } of timings) {
      if (kernel === NAN_CHECK) continue;
      const rate = (count: number) => (count / microseconds / 1000).toFixed(1);
      const rates = cost ? `  ${rate(cost.flops)} GFLOP/s  ${rate(cost.bytes)} GB/s` : "";
      console.log(`${kernel} ${variant}  ${microseconds.toFixed(1)} µs${rates}`);
    }
  };
}
