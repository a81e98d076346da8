import { forward } from "../nets.mjs";
import { channelsLast, imagesLast, inputsOf } from "../weights.mjs";

export const title = "jax-js";
export const kinds = ["infer", "train", "conv2d", "matmul"];

/** @param {import("../workloads.mjs").Workload} workload */
export const prepare = (workload) => ({ workload, ...inputsOf(workload, "channels first") });

/** @param {ReturnType<typeof prepare>} given */
export async function start(given) {
  await import("../dawn.mjs");
  const jax = await import("@jax-js/jax");
  if (!(await jax.init("webgpu")).includes("webgpu"))
    throw new Error("jax-js: its WebGPU backend does not start");
  jax.defaultDevice("webgpu");
  const { queue, adapterInfo } = jax.getWebGPUDevice();
  const build = { infer, train, conv2d: kernel, matmul: kernel }[given.workload.kind];
  return { adapter: adapterInfo.description, ...build(jax, given, () => queue.onSubmittedWorkDone()) };
}

const array = ({ numpy }, { data, shape }) => numpy.array(data).reshape(shape);

/** Arrays by name, another reference to each: a function that is given an array uses it up. */
const again = (arrays) => Object.fromEntries(Object.entries(arrays).map(([name, x]) => [name, x.ref]));

const square = (side) => [side, side];

/** Images are [N, C, H, W]. */
const operations = ({ numpy: np, lax, nn }, w, norm) => ({
  conv: (x, { name, stride, padding }) =>
    lax.convGeneralDilated(x.ref, w[`${name}.weight`].ref, square(stride), square(square(padding))),
  norm,
  relu: (x) => nn.relu(x.ref),
  add: (a, b) => a.ref.add(b.ref),
  // After a ReLU nothing is below 0, and zeros around the image lose to everything that -∞ loses to.
  maxPool: (x) => {
    const around = np.pad(x.ref, [
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 1],
    ]);
    return lax.reduceWindow(around, np.max, square(3), square(2));
  },
  pad: (x, { stride, before, after }) => {
    const [N, C, H, W] = x.shape;
    const pixels = x.ref.reshape([N, C, H / stride, stride, W / stride, stride]).slice([], [], [], 0, [], 0);
    return np.pad(pixels, [
      [0, 0],
      [before, after],
      [0, 0],
      [0, 0],
    ]);
  },
  mean: (x) => np.mean(x.ref, [2, 3]),
  linear: (x, name) => np.matmul(x.ref, np.transpose(w[`${name}.weight`].ref)).add(w[`${name}.bias`].ref),
});

/** gamma · (x − mean) / √(variance + ε) + beta, of each channel */
function normalized({ numpy: np }, x, mean, variance, gamma, beta) {
  const scale = gamma.ref.div(np.sqrt(variance.ref.add(1e-5)));
  const shift = beta.ref.sub(mean.ref.mul(scale.ref));
  const channel = (values) => values.reshape([1, -1, 1, 1]);
  return x.ref.mul(channel(scale)).add(channel(shift));
}

const arraysOf = (jax, weights) =>
  Object.fromEntries([...weights].map(([name, values]) => [name, array(jax, values)]));

function infer(jax, { net, weights, x }) {
  const w = arraysOf(jax, weights);
  const predict = jax.jit((w, x) => {
    const norm = (x, name) => {
      const part = (which) => w[`${name}.${which}`];
      return normalized(jax, x, part("running_mean"), part("running_var"), part("weight"), part("bias"));
    };
    return forward(net, operations(jax, w, norm), x);
  });
  return {
    call: () => predict(again(w), array(jax, x)).data(),
    result: async () => [],
  };
}

function train(jax, { workload, net, weights, x, labels }, finished) {
  const { numpy: np, nn } = jax;
  const isRunning = (name) => name.includes(".running_");
  const pick = (wanted) =>
    Object.fromEntries(Object.entries(arraysOf(jax, weights)).filter(([name]) => isRunning(name) === wanted));
  let state = { w: pick(false), running: pick(true), momentum: undefined };
  state.momentum = Object.fromEntries(Object.entries(state.w).map(([name, w]) => [name, np.zeros(w.shape)]));

  const lossOf = (w, x, truth) => {
    const seen = {};
    const norm = (x, name) => {
      const count = x.size / x.shape[1];
      const mean = np.mean(x.ref, [0, 2, 3]);
      const centred = x.ref.sub(mean.ref.reshape([1, -1, 1, 1]));
      const variance = np.mean(np.square(centred), [0, 2, 3]);
      seen[`${name}.running_mean`] = mean.ref;
      seen[`${name}.running_var`] = variance.ref.mul(count / (count - 1));
      return normalized(jax, x, mean, variance, w[`${name}.weight`], w[`${name}.bias`]);
    };
    const logits = forward(net, operations(jax, w, norm), x);
    const loss = np.mean(np.sum(nn.logSoftmax(logits).mul(truth.ref), 1)).neg();
    return [loss, seen];
  };
  const map = (arrays, f) =>
    Object.fromEntries(Object.entries(arrays).map(([name, x]) => [name, f(x, name)]));
  const step = jax.jit(({ w, running, momentum }, x, truth) => {
    const [[loss, seen], dw] = jax.valueAndGrad(lossOf, { hasAux: true })(again(w), x, truth);
    const moved = map(momentum, (m, name) => m.mul(workload.momentum).add(dw[name]));
    return [
      loss,
      {
        w: map(w, (w, name) => w.sub(moved[name].ref.mul(workload.lr))),
        running: map(running, (value, name) => value.mul(0.9).add(seen[name].mul(0.1))),
        momentum: moved,
      },
    ];
  });
  const oneHot = new Float32Array(labels.length * net.classes);
  for (const [i, label] of labels.entries()) oneHot[i * net.classes + label] = 1;
  return {
    async call() {
      const truth = array(jax, { data: oneHot, shape: [labels.length, net.classes] });
      const [loss, next] = step(state, array(jax, x), truth);
      state = next;
      const value = await loss.data();
      await jax.blockUntilReady(map(state.w, (w) => w.ref));
      await finished();
      return value;
    },
    result: (names) =>
      Promise.all(
        names.map(async (name) => {
          const values = { ...state.w, ...state.running }[name].ref;
          const { shape } = values;
          return channelsLast({ shape, data: await values.data() }).data;
        }),
      ),
  };
}

function kernel(jax, { workload, x, weights }, finished) {
  const { numpy: np, lax } = jax;
  const input = array(jax, x);
  const all = [...weights.values()].map((w) => array(jax, w));
  const { stride, R } = workload;
  const op = jax.jit(
    workload.kind === "conv2d"
      ? (x, w) => lax.convGeneralDilated(x, w, square(stride), square(square(R >> 1)))
      : (x, w) => np.matmul(x, w),
  );
  return {
    async call() {
      const results = all.map((w) => op(input.ref, w.ref));
      await Promise.all(results.map((y) => y.blockUntilReady()));
      await finished();
      for (const y of results) y.dispose();
    },
    async result() {
      const y = op(input.ref, all.at(-1).ref);
      const { shape } = y;
      const data = await y.data();
      return [shape.length === 4 ? imagesLast({ shape, data }).data : data];
    },
  };
}
