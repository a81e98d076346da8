import { pathToFileURL } from "node:url";
import { tensorflowModule } from "../bundle.mjs";
import { forward } from "../nets.mjs";
import { inputsOf } from "../weights.mjs";

export const title = "TensorFlow.js";
export const kinds = ["infer", "train", "conv2d", "matmul"];

/** @param {import("../workloads.mjs").Workload} workload */
export async function prepare(workload) {
  return { module: await tensorflowModule(), workload, ...inputsOf(workload, "channels last") };
}

/** @param {Awaited<ReturnType<typeof prepare>>} given */
export async function start(given) {
  await import("../dawn.mjs");
  const tf = await import(pathToFileURL(given.module).href);
  if (!(await tf.setBackend("webgpu"))) throw new Error("TensorFlow.js: its WebGPU backend does not start");
  await tf.ready();
  const { queue, adapterInfo } = tf.backend().device;
  const build = { infer, train, conv2d: kernel, matmul: kernel }[given.workload.kind];
  return { adapter: adapterInfo.description, ...build(tf, given, () => finished(tf, queue)) };
}

/** Submit the recorded work, which TensorFlow.js keeps until a value is read, and wait for its end. */
async function finished(tf, queue) {
  const backend = tf.backend();
  backend.endComputePassEncoder();
  if (backend.commandEncoder) backend.submitQueue();
  await queue.onSubmittedWorkDone();
}

/** @param {(x: object, name: string) => object} norm */
const operations = (tf, w, norm) => ({
  conv: (x, { name, stride, padding }) => tf.conv2d(x, w.get(`${name}.weight`), stride, padding),
  norm,
  relu: tf.relu,
  add: tf.add,
  maxPool: (x) => tf.maxPool(x, 3, 2, 1),
  // A max pool over windows of one pixel takes every second pixel: a strided slice has no gradient here.
  pad: (x, { stride, before, after }) =>
    tf.pad(tf.maxPool(x, 1, stride, "valid"), [
      [0, 0],
      [0, 0],
      [0, 0],
      [before, after],
    ]),
  mean: (x) => tf.mean(x, [1, 2]),
  linear: (x, name) => tf.add(tf.matMul(x, w.get(`${name}.weight`)), w.get(`${name}.bias`)),
});

function infer(tf, { net, weights, x }) {
  const w = new Map([...weights].map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]));
  const part = (name) => w.get(name);
  const norm = (x, name) =>
    tf.batchNorm(
      x,
      part(`${name}.running_mean`),
      part(`${name}.running_var`),
      part(`${name}.bias`),
      part(`${name}.weight`),
      1e-5,
    );
  const ops = operations(tf, w, norm);
  return {
    async call() {
      const y = tf.tidy(() => forward(net, ops, tf.tensor(x.data, x.shape)));
      const logits = await y.data();
      y.dispose();
      return logits;
    },
    result: async () => [],
  };
}

function train(tf, { workload, net, weights, x, labels }, finished) {
  const w = new Map(
    [...weights].map(([name, { data, shape }]) => {
      const trainable = !name.includes(".running_");
      return [name, tf.variable(tf.tensor(data, shape), trainable)];
    }),
  );
  const trainable = [...w.values()].filter(({ trainable }) => trainable);
  const count = (x) => x.size / x.shape.at(-1);
  const track = (name, value) => {
    const running = w.get(name);
    running.assign(tf.add(tf.mul(running, 0.9), tf.mul(value, 0.1)));
  };
  const norm = (x, name) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    track(`${name}.running_mean`, mean);
    track(`${name}.running_var`, tf.mul(variance, count(x) / (count(x) - 1)));
    return tf.batchNorm(x, mean, variance, w.get(`${name}.bias`), w.get(`${name}.weight`), 1e-5);
  };
  const ops = operations(tf, w, norm);
  const optimizer = tf.train.momentum(workload.lr, workload.momentum);
  return {
    async call() {
      const loss = tf.tidy(() => {
        const images = tf.tensor(x.data, x.shape);
        const truth = tf.oneHot(tf.tensor1d(labels, "int32"), net.classes);
        return optimizer.minimize(
          () => tf.losses.softmaxCrossEntropy(truth, forward(net, ops, images)),
          true,
          trainable,
        );
      });
      const [value] = await Promise.all([loss.data(), finished()]);
      loss.dispose();
      return value;
    },
    result: (names) => Promise.all(names.map((name) => w.get(name).data())),
  };
}

function kernel(tf, { workload, x, weights }, finished) {
  const input = tf.tensor(x.data, x.shape);
  const all = [...weights.values()].map(({ data, shape }) => tf.tensor(data, shape));
  const op =
    workload.kind === "conv2d"
      ? (w) => tf.conv2d(input, w, workload.stride, workload.R >> 1)
      : (w) => tf.matMul(input, w);
  return {
    async call() {
      const results = all.map(op);
      await finished();
      tf.dispose(results);
    },
    result: async () => [await op(all.at(-1)).data()],
  };
}
