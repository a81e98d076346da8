import { inputsOf } from "../weights.mjs";

export const title = "shadegrad";
export const kinds = ["infer", "train", "conv2d", "matmul"];

/** @param {import("../workloads.mjs").Workload} workload */
export const prepare = (workload) => ({ workload, ...inputsOf(workload, "channels last") });

/** @param {ReturnType<typeof prepare>} given */
export async function start(given) {
  const engine = await import("@shadegrad/tensor");
  const device = await engine.init({ quiet: true });
  const build = { infer, train, conv2d: kernel, matmul: kernel }[given.workload.kind];
  return { adapter: device.name, ...(await build(engine, device, given)) };
}

/** A function as users call it: compiled where the engine can, else op by op. */
function prepared(engine, f) {
  return engine.compile ? engine.compile(f) : (...inputs) => engine.scope(() => f(...inputs));
}

async function load({ net, weights }) {
  const { zoo } = await import("@shadegrad/resnet");
  const { loadStateDict } = await import("@shadegrad/tensor/nn");
  const model = zoo[net.name]();
  const state = new Map([...weights].map(([name, values]) => [name, { dtype: "f32", ...values }]));
  // The state has all but the counts of batches in the running statistics.
  const { missing, unexpected } = loadStateDict(model, state, { strict: false });
  const others = [...missing.filter((name) => !name.endsWith("num_batches_tracked")), ...unexpected];
  if (others.length > 0) throw new Error(`${net.name}: its zoo and this list of layers differ in ${others}`);
  return model;
}

async function infer(engine, _device, given) {
  const { evaluate } = await import("@shadegrad/tensor/nn");
  const model = evaluate(await load(given));
  const predict = prepared(engine, (x) => engine.noGrad(() => model.forward(x)));
  const { data, shape } = given.x;
  return {
    async call() {
      const x = engine.tensor(data, shape);
      const y = await predict(x);
      const logits = await y.data();
      x.dispose();
      y.dispose();
      return logits;
    },
    result: async () => [],
  };
}

async function train(engine, device, given) {
  const { SGD } = await import("@shadegrad/tensor/optim");
  const { stateDict } = await import("@shadegrad/tensor/nn");
  const model = await load(given);
  const { lr, momentum } = given.workload;
  const optimizer = new SGD(model, { lr, momentum });
  const step = prepared(engine, (x, labels) => {
    const loss = engine.crossEntropy(model.forward(x), labels);
    engine.backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  const { x: images, labels } = given;
  return {
    async call() {
      const inputs = [engine.tensor(images.data, images.shape), engine.tensor(labels, [labels.length])];
      const loss = await step(...inputs);
      const [value] = await Promise.all([loss.data(), device.synchronize()]);
      for (const tensor of [...inputs, loss]) tensor.dispose();
      return value;
    },
    async result(names) {
      const state = stateDict(model);
      return Promise.all(names.map((name) => state.get(name).data()));
    },
  };
}

async function kernel(engine, device, { workload, x, weights }) {
  const input = engine.tensor(x.data, x.shape);
  const all = [...weights.values()].map(({ data, shape }) => engine.tensor(data, shape));
  const { stride, R } = workload;
  const op =
    workload.kind === "conv2d"
      ? (w) => engine.conv2d(input, w, { stride, padding: R >> 1 })
      : (w) => engine.matmul(input, w);
  return {
    async call() {
      engine.scope(() => {
        for (const w of all) op(w);
      });
      await device.synchronize();
    },
    async result() {
      const y = op(all.at(-1));
      return [await y.data()];
    },
  };
}
