import { compile, init, tensor } from "@shadegrad/tensor";
import { dispose, parameters, stateDict, train as trainingMode } from "@shadegrad/tensor/nn";
import { beforeAll, expect, it } from "vitest";
import { freeze, replaceHead, train, unfreeze } from "../src/index.ts";
import { colours, numbers, Small, sgd } from "./training/small.ts";

beforeAll(async () => {
  await init();
});

it("a new head has other classes and fresh weights; the base stays", async () => {
  const { net } = new Small();
  const before = await numbers(net);
  const old = net.fc.weight;
  replaceHead(net, ["a", "b", "c", "d", "e"]);
  expect([net.options.classes, net.labels?.length, net.fc.weight.shape]).toEqual([5, 5, [8, 5]]);
  expect(old.isDisposed).toBe(true);
  const after = await numbers(net);
  for (const name of Object.keys(before).filter((name) => !name.startsWith("fc."))) {
    expect(after[name], name).toEqual(before[name]);
  }
  expect(replaceHead(net, 2).labels).toBe(undefined);
  dispose(net);
});

it("a frozen base keeps weights and statistics through a training, and its head learns", async () => {
  const model = new Small();
  const { net } = model;
  freeze(net.base);
  const before = await numbers(net);
  const optimizer = sgd(model);
  const options = { data: colours(40), epochs: 3, batchSize: 8, onProgress: () => {} };
  const { epochs } = await train({ model, optimizer, ...options });
  const after = await numbers(net);
  for (const [name, values] of Object.entries(before)) {
    if (name.startsWith("base.")) expect(after[name], name).toEqual(values);
    else expect(after[name], name).not.toEqual(values);
  }
  expect(epochs.at(-1)!.loss).toBeLessThan(epochs[0]!.loss);
  expect(parameters(net)).toHaveLength(2);
  optimizer.dispose();

  unfreeze(net.base);
  expect(parameters(net).length).toBeGreaterThan(2);
  const again = sgd(model);
  await train({ model, optimizer: again, ...options, epochs: 1 });
  expect(await numbers(net)).not.toMatchObject({ "base.conv.weight": before["base.conv.weight"] });
  expect((await numbers(net))["base.bn.running_mean"]).not.toEqual(before["base.bn.running_mean"]);
  again.dispose();
  dispose(model);
});

it("a compiled function notices that a layer was frozen", async () => {
  const { net } = new Small();
  trainingMode(net);
  const forward = compile((x) => net.base.forward(x));
  const x = tensor(
    Float32Array.from({ length: 2 * 64 * 3 }, (_, i) => Math.sin(i)),
    [2, 8, 8, 3],
  );
  const count = () => stateDict(net).get("base.bn.num_batches_tracked")!.item();
  await forward(x);
  const before = await count();
  freeze(net.base);
  await forward(x);
  expect(await count()).toBe(before);
  forward.dispose();
  dispose(net);
});
