// npm run bench:gpu: a GPU measured with its clock kept up: candidates of kernels, nets, a training step.
import { writeFileSync } from "node:fs";
import { init } from "@shadegrad/tensor";
import { optionsOf } from "../options.mjs";
import { ourselves, platform, provenance } from "../provenance.mjs";
import { WarmClock } from "./clock.mjs";
import { measureKernels, sets } from "./kernels.mjs";
import { measureNet, NETS } from "./nets.mjs";
import { measurePeers } from "./peers.mjs";
import { kernelLine, netLines, totalLine } from "./table.mjs";

const USAGE = `npm run bench:gpu -- [options]

  --part NAME      info, nets, kernels, peers; may be given again; all but peers,
                   530 MB of other engines, unless given
  --filter TEXT    sets of kernels and nets whose names contain this
  --shape TEXT     kernels whose shapes contain this
  --seconds N      limit of each part, 100 unless given
  --precision P    f32, or f16 for the nets
  --tuned          go by what tune kept
  --json FILE      all results

kernels   shape, how often the net has it, TFLOP/s and µs of the fastest way,
          and of the kernel's own choice; ! where a result is off, ~ where the
          clock had moved`;

const options = optionsOf(USAGE, {
  part: { type: "string", multiple: true, default: ["info", "nets", "kernels"] },
  shape: { type: "string", default: "" },
  seconds: { type: "string", default: "100" },
  precision: { type: "string", default: "f32" },
  tuned: { type: "boolean", default: false },
});
const { json, filter, part: parts } = options;
const precision = /** @type {"f32" | "f16"} */ (options.precision);
const limit = 1000 * Number(options.seconds);
const isChosen = (/** @type {string} */ name) =>
  filter.length === 0 || filter.some((text) => name.includes(text));
/** @type {(set: import("./kernels.mjs").KernelSet) => import("./kernels.mjs").KernelSet} */
const shaped = ([name, workloads]) => [
  name,
  () => workloads().filter((workload) => workload.name.includes(options.shape)),
];
const device = await init({ quiet: true, precision, tuned: options.tuned });
const clock = new WarmClock(device);
const report = {
  ...{ adapter: device.name, ...provenance(), precision },
  ...{ features: [...device.adapter.features], subgroupSize: device.adapter.subgroupSize },
  ...{ workgroupMemory: device.adapter.workgroupMemory, peak: [0, 0], bandwidth: 0 },
  ...{
    nets: /** @type {any[]} */ ([]),
    kernels: /** @type {any[]} */ ([]),
    peers: /** @type {any} */ (undefined),
  },
};
const save = () => json && writeFileSync(json, `${JSON.stringify(report, undefined, 1)}\n`);

console.log(`${platform(report)}\n${ourselves(report)}`);
report.peak[0] = await clock.peak();
report.bandwidth = await clock.bandwidth();
console.log(`${(report.peak[0] / 1000).toFixed(1)} TFLOP/s, ${report.bandwidth.toFixed(0)} GB/s`);
if (parts.includes("nets")) {
  const begin = performance.now();
  for (const net of NETS.filter(([name]) => isChosen(name))) {
    if (performance.now() - begin > limit) break;
    try {
      const result = await measureNet(device, net);
      report.nets.push(result);
      console.log(netLines(result).join("\n"));
    } catch (error) {
      console.log(`${net[0]}: ${/** @type {Error} */ (error).message}`);
    }
    save();
  }
}
if (parts.includes("kernels")) {
  const begin = performance.now();
  const isOver = () => performance.now() - begin > limit;
  for (const set of sets().filter(([name]) => isChosen(name))) {
    if (isOver()) break;
    /** @type {any[]} */
    const rows = [];
    try {
      await measureKernels(device, clock, [shaped(set)], isOver, (result) => rows.push(result));
    } catch (error) {
      console.log(`${set[0]}: ${/** @type {Error} */ (error).message.slice(0, 300)}`);
    }
    const peak = await clock.peak();
    const steady = clock.isSteady(peak);
    console.log(`\n${set[0]}${steady ? "" : " ~"} · peak now ${(peak / 1000).toFixed(1)} TFLOP/s`);
    for (const row of rows) {
      report.kernels.push({ ...row, steady });
      console.log(kernelLine(row));
    }
    console.log(totalLine(rows));
    save();
  }
}
if (parts.includes("peers")) {
  try {
    report.peers = measurePeers(filter, limit);
  } catch (error) {
    console.log(/** @type {Error} */ (error).message);
  }
  save();
}
report.peak[1] = await clock.peak();
console.log(`\npeak at the end ${(report.peak[1] / 1000).toFixed(1)} TFLOP/s`);
save();
process.exit(); // Dawn keeps the process alive
