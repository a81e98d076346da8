import { compile, init, noGrad, type Tensor, tensor } from "@shadegrad/tensor";
import { evaluate } from "@shadegrad/tensor/nn";
import { beforeAll, expect, test } from "vitest";
import {
  checkpointBytes,
  inspectCheckpoint,
  loadCheckpoint,
  modelOf,
  openCheckpoint,
} from "../../src/checkpoints/index.ts";
import { batchNormsOf } from "../../src/checkpoints/load.ts";
import { ResNet } from "../../src/index.ts";
import { bytesOf } from "./files.ts";

// TensorFlow.js 4.22 on the same input; its batch norms have an epsilon of 0.001.
const LOGITS = [2.5348, 10.7126, 5.6358, -0.2545, 10.0283];

beforeAll(async () => {
  await init();
});

const kerasFiles = async (change = (json: string) => json) => [
  new File([change(new TextDecoder().decode(await bytesOf("keras-eps/model.json")))], "model.json"),
  new File([(await bytesOf("keras-eps/w.bin")) as Uint8Array<ArrayBuffer>], "w.bin"),
];

async function opened(input: Parameters<typeof loadCheckpoint>[1] & Parameters<typeof inspectCheckpoint>[0]) {
  const net = evaluate(new ResNet(modelOf(await inspectCheckpoint(input))!.options));
  await loadCheckpoint(net, input);
  return net;
}

const input = () =>
  tensor(
    Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(0.37 * i)),
    [1, 64, 64, 3],
  );

const rounded = async (logits: Tensor) => [...(await logits.data())].map((value) => Number(value.toFixed(4)));

function expectLogits(found: number[]) {
  for (const [i, logit] of LOGITS.entries()) expect(found[i], String(found)).toBeCloseTo(logit, 3);
}

test("a Keras model's batch norms have the epsilon that it gives", async () => {
  const net = await opened(await kerasFiles());
  expectLogits(await rounded(noGrad(() => net.forward(input()))));
});

test("what is saved carries the difference in its variances, for PyTorch's 1e-5", async () => {
  const files = await kerasFiles();
  const bytes = await checkpointBytes(await opened(files));
  const net = await opened(bytes);
  expect([...batchNormsOf(net).values()].every(({ eps }) => eps === 1e-5)).toBe(true);
  expectLogits(await rounded(noGrad(() => net.forward(input()))));
  const variance = async (from: typeof files | Uint8Array, name: string) =>
    (await (await openCheckpoint(from)).tensors.get(name)!.read()).data as Float32Array;
  const [own, saved] = [
    await variance(files, "conv1_bn/moving_variance"),
    await variance(bytes, "bn1.running_var"),
  ];
  expect([...saved]).toEqual([...own.map((value) => value + 0.00099)]);
});

test("each layer has its own, a layer without has Keras' default", async () => {
  const net = await opened(
    await kerasFiles((json) => {
      const model = JSON.parse(json);
      const { layers } = model.modelTopology.config;
      const config = (name: string) => layers.find((layer: { name: string }) => layer.name === name).config;
      config("conv1_bn").epsilon = 0.5;
      delete config("conv2_block1_2_bn").epsilon;
      return JSON.stringify(model);
    }),
  );
  const epsilons = Object.fromEntries([...batchNormsOf(net)].map(([name, { eps }]) => [name, eps]));
  expect(epsilons).toMatchObject({
    "base.bn.running_var": 0.5,
    "base.blocks.0.bn2.running_var": 0.001,
    "base.blocks.1.shortcut.bn.running_var": 0.001,
  });
});

test("a compiled net sees the epsilon of what is loaded later", async () => {
  const [keras, plain] = [
    await kerasFiles(),
    await kerasFiles((json) => json.replaceAll("0.001", "0.00001")),
  ];
  const net = await opened(plain);
  const predict = compile((x: Tensor) => noGrad(() => net.forward(x)));
  await predict(input());
  await loadCheckpoint(net, keras);
  expectLogits(await rounded(await predict(input())));
});
