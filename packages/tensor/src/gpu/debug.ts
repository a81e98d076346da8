import type { Adapter, Launcher } from "@shadegrad/kernels-wgsl";
import { type BufferPool, bytesText } from "./pool.ts";

/**
 * 1 leaks, steps, and which op made a NaN · 2 a line per kernel too · 3 memory that is taken and given back ·
 * 4 the WGSL that is compiled: `DEBUG` in Node, `?debug=` in a page.
 */
export const debugLevel: number = readLevel();

function readLevel(): number {
  const fromNode = typeof process === "undefined" ? undefined : process.env?.DEBUG;
  const search = typeof location === "undefined" ? "" : location.search;
  return Number(fromNode ?? new URLSearchParams(search).get("debug") ?? 0) || 0;
}

/** Names of the kernels that look for NaN. */
export const NAN_CHECK = "NaN check";

/** At level 4, print each shader with its holes filled. */
export function traceShaders(launcher: Launcher): void {
  if (debugLevel < 4) return;
  launcher.onShader = (label, code) => console.log(`// ${label}\n${code}`);
}

/** At level 3, print that a buffer was taken (+) or given back (−), and the size of the pool. */
export function traceMemory(sign: "+" | "−", buffer: GPUBuffer, { counts }: BufferPool): void {
  if (debugLevel < 3) return;
  const { buffers, bytes, free } = counts;
  console.log(
    `memory ${sign} ${bytesText(buffer.size)}: holds ${bytesText(bytes)}, ${bytesText(free)} of it free; ${buffers} buffers made`,
  );
}

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
