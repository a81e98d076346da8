import { zoo } from "@shadegrad/resnet";
import { backward, compile, crossEntropy, noGrad, tensor } from "@shadegrad/tensor";
import { dispose, evaluate, train } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { quartiles } from "../quartiles.mjs";
import { randomValues } from "../random.mjs";

/**
 * @typedef {import("@shadegrad/tensor").Device} Device
 *
 * @typedef {object} NetResult milliseconds
 * @property {string} name
 * @property {number} warm of a call, data in, results out
 * @property {number} piped of a call where none is waited for
 * @property {number} encode of the CPU until all is submitted
 * @property {number} kernels all launches by the GPU's clock
 * @property {number} launches
 * @property {{ kernel: string, count: number, microseconds: number, tflops: number, gbytes: number }[]} profile
 */

/** @type {readonly (readonly [string, keyof typeof zoo, number, "infer" | "train"])[]} */
export const NETS = [
  ["ResNet-50 ×1", "resnet50", 1, "infer"],
  ["ResNet-50 ×8", "resnet50", 8, "infer"],
  ["ResNet-50 ×32", "resnet50", 32, "infer"],
  ["training ResNet-50 ×32", "resnet50", 32, "train"],
  ["training ResNet-20 ×128", "resnet20", 128, "train"],
];

const MILLISECONDS = 1200;

/**
 * @param {Device} device
 * @param {(typeof NETS)[number]} net
 * @returns {Promise<NetResult>}
 */
export async function measureNet(device, [name, net, batch, kind], milliseconds = MILLISECONDS) {
  const side = net === "resnet20" ? 32 : 224;
  const model = zoo[net]();
  const optimizer = kind === "train" ? new SGD(model, { lr: 0.01, momentum: 0.9 }) : undefined;
  if (optimizer) train(model);
  else evaluate(model);
  const step = compile(
    optimizer
      ? (/** @type {any} */ x, /** @type {any} */ labels) => {
          const loss = crossEntropy(model.forward(x), labels);
          backward(loss);
          optimizer.step();
          optimizer.zeroGrad();
          return loss;
        }
      : (/** @type {any} */ x) => noGrad(() => model.forward(x)),
  );
  const x = tensor(randomValues(batch * side * side * 3, 1), [batch, side, side, 3]);
  const labels = tensor(
    Int32Array.from({ length: batch }, (_, i) => i % 10),
    [batch],
  );
  const args = optimizer ? [x, labels] : [x];
  const encodes = [];
  const once = async () => {
    const begin = performance.now();
    const promise = /** @type {any} */ (step)(...args);
    device.launcher.flush();
    encodes.push(performance.now() - begin);
    const y = await promise;
    await y.data();
    y.dispose();
    return performance.now() - begin;
  };
  await once();
  await once();
  const times = [];
  encodes.length = 0;
  const begin = performance.now();
  while (times.length < 3 || performance.now() - begin < milliseconds) times.push(await once());
  const piped = await pipedTime(step, args, Math.min(40, Math.max(5, times.length)));
  const { profile, kernels, launches } = await profileOf(step, args, once);
  step.dispose();
  optimizer?.dispose();
  dispose(model);
  for (const input of [x, labels]) input.dispose();
  const [warm, encode] = [quartiles(times)[1], quartiles(encodes)[1]];
  return { name, warm, piped, encode, kernels, launches, profile };
}

async function pipedTime(step, args, calls) {
  const begin = performance.now();
  let last;
  for (let i = 0; i < calls; i++) {
    last?.dispose();
    last = await step(...args);
  }
  await last.data();
  last.dispose();
  return (performance.now() - begin) / calls;
}

async function profileOf(step, args, once) {
  /** @type {any[] | undefined} */
  let best;
  const total = (launches) => launches.reduce((sum, { microseconds }) => sum + microseconds, 0);
  for (let i = 0; i < 3; i++) {
    for (let k = 0; k < 5; k++) await once();
    const launches = await step.profile(...args);
    if (!best || total(launches) < total(best)) best = launches;
  }
  const by = new Map();
  for (const { kernel, variant, microseconds, cost } of best ?? []) {
    const key = `${kernel} ${variant}`;
    const row = by.get(key) ?? { kernel: key, count: 0, microseconds: 0, flops: 0, bytes: 0 };
    by.set(key, row);
    row.count++;
    row.microseconds += microseconds;
    row.flops += cost?.flops ?? 0;
    row.bytes += cost?.bytes ?? 0;
  }
  const profile = [...by.values()]
    .sort((a, b) => b.microseconds - a.microseconds)
    .map(({ kernel, count, microseconds, flops, bytes }) => ({
      ...{ kernel, count, microseconds },
      ...{ tflops: flops / microseconds / 1e6, gbytes: bytes / microseconds / 1e3 },
    }));
  const launches = (best ?? []).map(({ kernel, variant, params, microseconds }) => ({
    kernel,
    variant,
    params,
    microseconds,
  }));
  return { profile, kernels: total(best ?? []) / 1000, launches: launches.length, all: launches };
}
