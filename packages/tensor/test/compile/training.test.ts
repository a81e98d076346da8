import { expect, it } from "vitest";
import {
  add,
  assign,
  backward,
  compile,
  conv2d,
  crossEntropy,
  init,
  manualSeed,
  mul,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { dispose } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { relativeError } from "../compare.ts";
import { batchOf, smallNet, trained } from "../smallNet.ts";

it("20 compiled training steps are as 20 eager ones", async () => {
  await init({ quiet: true });
  const eager = await trained(7);
  manualSeed(7);
  const net = smallNet();
  const optimizer = new SGD(net, { lr: 0.1, momentum: 0.9, weightDecay: 1e-3 });
  using step = compile((x: Tensor, labels: Tensor) => {
    const loss = crossEntropy(net.forward(x), labels);
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  const losses: number[] = [];
  for (let i = 0; i < 20; i++) {
    const { x, labels } = batchOf(i);
    using loss = await step(x, labels);
    losses.push(await loss.item());
    x.dispose();
    labels.dispose();
  }
  expect(losses).toEqual(eager.losses);
  optimizer.dispose();
  dispose(net);
});

const wave = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i));

it.each<[string, (dw: Tensor) => void]>([
  ["reads gradients", () => {}],
  ["changes gradients in place", (dw) => assign(dw, mul(dw, 0.5))],
])("a step that %s before its optimizer is as op by op", async (_, change) => {
  await init({ quiet: true });
  const made = () => {
    const shape = [3, 3, 8, 8];
    const weights = [1, 2].map((seed) => tensor(wave(576, seed), shape, { requiresGrad: true }));
    const optimizer = new SGD(weights, { lr: 0.01 });
    const step = (x: Tensor) => {
      const y = weights.reduce((x, w) => conv2d(x, w, { padding: 1 }), x);
      backward(sum(mul(y, 0.1)));
      const squares = weights.map(({ grad }) => sum(mul(grad!, grad!)));
      for (const { grad } of weights) change(grad!);
      optimizer.step();
      optimizer.zeroGrad();
      return add(squares[0]!, squares[1]!);
    };
    return { step, weights };
  };
  const [eager, compiled] = [made(), made()];
  using step = compile(compiled.step);
  for (let i = 0; i < 2; i++) {
    const x = tensor(wave(4 * 16 * 16 * 8, i), [4, 16, 16, 8]);
    const [expected, found] = [scope(() => eager.step(x)), await step(x)];
    expect(relativeError(await found.data(), await expected.data())).toBeLessThan(1e-5);
  }
  for (const [i, w] of eager.weights.entries())
    expect(relativeError(await compiled.weights[i]!.data(), await w.data())).toBeLessThan(1e-5);
});
