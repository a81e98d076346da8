// npm run bench:launches: CPU time per launch, eager and compiled, on Dawn's null backend, which computes nothing.
import { zoo } from "@shadegrad/resnet";
import { backward, compile, crossEntropy, init, noGrad, scope, tensor } from "@shadegrad/tensor";
import { dispose, evaluate, train } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { create } from "webgpu";
import { quartiles } from "../quartiles.mjs";

/** Rounds, of which a row's time is the median, calls in each, and rounds before them, in which V8 compiles. */
const [ROUNDS, CALLS, WARM_UP] = [15, 10, 60];

const gpu = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
const adapter = await gpu.requestAdapter();
const limits = adapter?.limits;
const { maxBufferSize = 0, maxStorageBufferBindingSize = 0 } = limits ?? {};
const gpuDevice = await adapter?.requestDevice({
  requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
});
if (!gpuDevice) throw new Error("bench:launches: this binding has no null backend.");
const device = await init({ device: gpuDevice, quiet: true });
console.log(`CPU time per launch, from the call until all is submitted; ${device.name}\n`);

/** @typedef {import("@shadegrad/tensor").Tensor} Tensor */

// Batches are small: the device has half a GiB of memory, and larger batches need as many launches.
await row("infer resnet18 ×1 eager", "resnet18", 224, 1, false, false);
await row("infer resnet50 ×1 eager", "resnet50", 224, 1, false, false);
await row("train resnet20 ×8 eager", "resnet20", 32, 8, true, false);
await row("infer resnet50 ×1 compiled", "resnet50", 224, 1, false, true);
await row("train resnet20 ×8 compiled", "resnet20", 32, 8, true, true);
await row("train resnet50 ×1 compiled", "resnet50", 64, 1, true, true);
process.exit();

/**
 * @param {string} name
 * @param {"resnet18" | "resnet20" | "resnet50"} net
 * @param {number} side
 * @param {number} batch
 * @param {boolean} training
 * @param {boolean} isCompiled
 */
async function row(name, net, side, batch, training, isCompiled) {
  const model = zoo[net]();
  const x = tensor(new Float32Array(batch * side * side * 3), [batch, side, side, 3]);
  const labels = tensor(new Int32Array(batch));
  const step = training ? stepOf(model) : predictionOf(model);
  const compiled = isCompiled ? compile(step) : undefined;
  const call = compiled ? () => compiled(x, labels) : () => scope(() => step(x, labels));
  for (let i = 0; i < WARM_UP; i++) await cpuTime(call);
  const times = [];
  const before = device.counts.launches;
  for (let round = 0; round < ROUNDS; round++) times.push((await cpuTime(call)) / CALLS);
  const launches = (device.counts.launches - before) / ROUNDS / CALLS;
  const [, median] = quartiles(times);
  console.log(
    `${name.padEnd(32)}${launches.toFixed(0).padStart(6)} launches${(median / 1000).toFixed(2).padStart(8)} ms${(median / launches).toFixed(1).padStart(8)} µs a launch`,
  );
  compiled?.dispose();
  for (const used of [x, labels]) used.dispose();
  dispose(model);
  device.trim();
}

/**
 * CPU time of `CALLS` calls, in µs. Other processes do not count.
 *
 * @param {() => Tensor | Promise<Tensor>} call
 */
async function cpuTime(call) {
  const results = [];
  const before = process.cpuUsage();
  for (let i = 0; i < CALLS; i++) {
    results.push(call());
    device.launcher.flush();
  }
  const { user, system } = process.cpuUsage(before);
  for (const result of results) (await result).dispose();
  await device.synchronize();
  return user + system;
}

/** @param {import("@shadegrad/resnet").ResNet} model */
function predictionOf(model) {
  evaluate(model);
  return (/** @type {Tensor} */ x) => noGrad(() => model.forward(x));
}

/** @param {import("@shadegrad/resnet").ResNet} model */
function stepOf(model) {
  train(model);
  // Never disposed: the process ends first.
  const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9 });
  return (/** @type {Tensor} */ x, /** @type {Tensor} */ labels) => {
    const loss = crossEntropy(model.forward(x), labels);
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
}
