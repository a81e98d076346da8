import { readFileSync } from "node:fs";

const MEASURED = new URL("../../bench/results/gpu-kernels-h200.json", import.meta.url);

/** Times that were measured on a GPU, by shape and variant. */
export default {
  watch: ["../../bench/results/gpu-kernels-h200.json"],
  load() {
    const { gpu, adapter, precision, peak, commit, kernels } = JSON.parse(readFileSync(MEASURED, "utf8"));
    const shapes = Object.fromEntries(
      kernels
        .filter(({ set }) => set.startsWith("forward"))
        .map(({ name, flops, times }) => [
          name,
          { flops, times: Object.fromEntries(times.map(({ name, microseconds }) => [name, microseconds])) },
        ]),
    );
    return { gpu, adapter, precision, commit, peak: peak[0] / 1000, shapes };
  },
};
