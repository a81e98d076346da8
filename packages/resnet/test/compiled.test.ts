import {
  backward,
  compile,
  crossEntropy,
  init,
  manualSeed,
  noGrad,
  scope,
  type Tensor,
  tensor,
} from "@shadegrad/tensor";
import { dispose, evaluate, stateDict } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { beforeAll, describe, expect, it } from "vitest";
import { relativeError } from "../../tensor/test/compare.ts";
import { ResNet } from "../src/index.ts";

beforeAll(() => init({ quiet: true }));

const NETS = {
  "projection shortcuts": { nBlocks: [1, 2], nChannels: [8, 16], stemRelu: true, bias: false },
  "padded shortcuts": { nBlocks: [1, 1], nChannels: [8, 16], shortcut: "pad-both" },
  bottlenecks: { nBlocks: [1, 1], nChannels: [16, 32], bottlenecks: [4, 8], stemPool: true },
} as const;

function net(options: (typeof NETS)[keyof typeof NETS]): ResNet {
  manualSeed(3);
  return new ResNet({ ...options, firstKernelSize: 3, stemStride: 1, classes: 5 });
}

type Batch = [x: Tensor, labels: Tensor];

const batch = (seed: number): Batch => [
  tensor(
    Float32Array.from({ length: 6 * 12 * 12 * 3 }, (_, i) => Math.sin(seed + 1.3 * i)),
    [6, 12, 12, 3],
  ),
  tensor(Int32Array.from({ length: 6 }, (_, i) => (i * 7 + seed) % 5)),
];

describe.each(Object.entries(NETS))("a ResNet with %s", (_, options) => {
  /** 20 steps of training; the losses, and the weights after them. */
  async function trained(isCompiled: boolean) {
    const model = net(options);
    const optimizer = new SGD(model, { lr: 0.05, momentum: 0.9, weightDecay: 1e-4 });
    const eager = (x: Tensor, labels: Tensor) => {
      const loss = crossEntropy(model.forward(x), labels);
      backward(loss);
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    };
    const step = isCompiled ? compile(eager) : async (...args: Batch) => scope(() => eager(...args));
    const losses: number[] = [];
    for (let i = 0; i < 20; i++) {
      optimizer.lr = 0.05 / (1 + i);
      const [x, labels] = batch(i);
      using loss = await step(x, labels);
      losses.push(await loss.item());
      x.dispose();
      labels.dispose();
    }
    optimizer.dispose();
    const weights = new Map<string, ArrayLike<number>>();
    for (const [name, w] of stateDict(model)) weights.set(name, await w.data());
    return { model, losses, weights };
  }

  it("learns the same in 20 compiled steps as in 20 eager ones, and then predicts the same", async () => {
    const [eager, compiled] = [await trained(false), await trained(true)];
    expect(relativeError(compiled.losses, eager.losses)).toBeLessThan(1e-4);
    for (const [name, w] of eager.weights) {
      expect(relativeError(compiled.weights.get(name)!, w), name).toBeLessThan(1e-4);
    }
    const { model } = eager;
    evaluate(model);
    using predict = compile((x: Tensor) => noGrad(() => model.forward(x)));
    const [x] = batch(99);
    const logits = await (await predict(x)).data();
    expect(relativeError(logits, await noGrad(() => model.forward(x)).data())).toBeLessThan(1e-5);
    for (const { model } of [eager, compiled]) dispose(model);
  });
});
