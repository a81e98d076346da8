// npm run bench:models: times of predicting and training with ResNets here, eager and compiled.
import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { init } from "@shadegrad/tensor";
import { NO_DRIVER_CACHE } from "../cold.mjs";
import { modelHeading, modelLine, modelRows } from "../index.mjs";
import { chosenOf, optionsOf } from "../options.mjs";
import { ourselves, platform, provenance } from "../provenance.mjs";

const USAGE = `npm run bench:models -- [options]

  --filter TEXT  rows whose names contain this; may be given again
  --json FILE    all results, to be read by programs
  --list         the names of the rows

infer     images in, logits out; of 224² pixels, of 32² for resnet20
train     images and labels in, one step of SGD with momentum, the loss out
first     ms of the first call in a process of its own. The weights are there,
          and nothing else: no shader is compiled, the driver's cache is off
warm      ms of a later call, until all its work is done; a median
±         half of the distance of its quartiles
encode    ms of the CPU in it, until all its launches are submitted
MiB       in buffers and textures at the most, with weights and optimizer
of plan   what of it came with the calls, over what compile planned: textures,
          which software adapters read in place of buffers, are over that`;

const options = optionsOf(USAGE, {});
const device = await init({ quiet: true });
const chosen = chosenOf(USAGE, modelRows(device.adapter.software), options);
const report = { adapter: device.name, ...provenance() };
device.destroy();

console.log(`${platform(report)}\n${ourselves(report)}\n\n${modelHeading()}`);
const results = [];
for (const { name } of chosen) {
  const result = await measured(name);
  results.push(result);
  console.log(modelLine(result));
}
if (options.json) writeFileSync(options.json, `${JSON.stringify({ ...report, results }, undefined, 1)}\n`);
process.exit(); // Dawn keeps the process alive

/**
 * @param {string} name of a row
 * @returns {Promise<import("./measure.mjs").ModelResult>}
 */
function measured(name) {
  const env = { ...process.env, ...NO_DRIVER_CACHE };
  const worker = fork(join(import.meta.dirname, "worker.mjs"), [name], { env });
  return new Promise((resolve, reject) => {
    worker.on("message", (/** @type {any} */ { result, error }) =>
      result ? resolve(result) : reject(new Error(error)),
    );
    worker.on("exit", (code, signal) => reject(new Error(`${name}: ended with ${signal ?? code}`)));
  });
}
