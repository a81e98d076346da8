import { backward, compile, crossEntropy, noGrad, scope, tensor } from "@shadegrad/tensor";
import { dispose, evaluate, train } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { quartiles } from "../quartiles.mjs";
import { randomValues } from "../random.mjs";
import { watchMemory } from "./memory.mjs";

/**
 * @typedef {import("@shadegrad/tensor").Tensor} Tensor
 * @typedef {import("@shadegrad/resnet").ResNet} ResNet
 * @typedef {(...inputs: any[]) => Tensor} Step
 *
 * @typedef {object} ModelResult times in milliseconds, memory in bytes
 * @property {string} name
 * @property {number} first of the first call: recording, all shaders, all memory
 * @property {number} warm of a later one, a median: images go in, logits or the loss come out, and all work is waited for
 * @property {number} spread the quartiles' distance over the median of `warm`
 * @property {number} calls of which `warm` is the median
 * @property {number} encode of a warm call, a median: from the call until everything is submitted
 * @property {number} imagesPerSecond
 * @property {number} launches of a warm call
 * @property {number} submits of a warm call, that for reading its result among them
 * @property {number} made pipelines, bind groups and buffers that all warm calls together made
 * @property {number} state held by the model and its optimizer, before the first call
 * @property {number} peak the most in buffers and textures at any time, `state` among it
 * @property {number} textures made by the end, a part of `peak`: a software adapter reads them faster than buffers
 * @property {{ bytes: number, constantBytes: number, bytesWithoutReuse: number } | undefined} plan what `compile` says it takes
 */

const WARM_UP = 2;
const LEAST_CALLS = 5;
const LEAST_MILLISECONDS = 2000;
const SETS = 3;

/**
 * A row's calls, the first and later ones.
 *
 * @param {import("@shadegrad/tensor").Device} device the default one; the first call is cold if it has computed nothing
 * @param {import("./cases.mjs").Row} row
 * @returns {Promise<ModelResult>}
 */
export async function measureModel(device, { name, one, mode }) {
  device.trim(); // garbage of the row before
  const memory = watchMemory(device.gpu);
  const { batch, side } = one;
  const model = one.build();
  const { step, stop } = one.kind === "infer" ? inference(model) : training(model);
  const compiled = mode === "compiled" ? compile(step) : undefined;
  const call = compiled ?? (async (/** @type {Tensor[]} */ ...inputs) => scope(() => step(...inputs)));

  const images = Array.from({ length: SETS }, (_, i) => randomValues(batch * side * side * 3, i + 1));
  const labels = Int32Array.from({ length: batch }, (_, i) => i % model.options.classes);
  const once = async (/** @type {number} */ i) => {
    const begin = performance.now();
    const x = tensor(images[i % SETS] ?? [], [batch, side, side, 3]);
    const inputs = one.kind === "infer" ? [x] : [x, tensor(labels, [batch])];
    const called = performance.now();
    const promise = call(...inputs); // runs up to its submission, unless it has to be prepared
    device.launcher.flush();
    const encode = performance.now() - called;
    const result = await promise;
    await Promise.all([result.data(), device.synchronize()]);
    const whole = performance.now() - begin;
    for (const used of [...inputs, result]) used.dispose();
    return { encode, whole };
  };

  await device.synchronize();
  const state = memory.bytes;
  const { whole: first } = await once(0);
  for (let i = 1; i <= WARM_UP; i++) await once(i);
  const before = device.counts;
  const calls = [];
  const begin = performance.now();
  while (calls.length < LEAST_CALLS || performance.now() - begin < LEAST_MILLISECONDS) {
    calls.push(await once(calls.length));
  }
  const after = device.counts;
  const more = (/** @type {keyof typeof after} */ key) => after[key] - before[key];
  const [low, warm, high] = quartiles(calls.map(({ whole }) => whole));
  const { bytes = 0, constantBytes = 0, bytesWithoutReuse = 0 } = compiled?.plan ?? {};
  const { peak, textures } = memory;
  compiled?.dispose();
  stop();
  return {
    ...{ name, first, warm, spread: (high - low) / warm, calls: calls.length },
    encode: quartiles(calls.map(({ encode }) => encode))[1],
    imagesPerSecond: (1000 * batch) / warm,
    ...{ launches: more("launches") / calls.length, submits: more("submits") / calls.length },
    made: more("pipelines") + more("bindGroups") + more("buffers"),
    ...{ state, peak, textures },
    plan: compiled && { bytes, constantBytes, bytesWithoutReuse },
  };
}

/** @param {ResNet} model */
function inference(model) {
  evaluate(model);
  /** @type {Step} */
  const step = (x) => noGrad(() => model.forward(x));
  return { step, stop: () => dispose(model) };
}

/** @param {ResNet} model */
function training(model) {
  train(model);
  const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9 });
  /** @type {Step} */
  const step = (x, labels) => {
    const loss = crossEntropy(model.forward(x), labels);
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
  const stop = () => {
    optimizer.dispose();
    dispose(model);
  };
  return { step, stop };
}
