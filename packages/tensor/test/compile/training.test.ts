import { expect, it } from "vitest";
import { backward, compile, crossEntropy, init, manualSeed, type Tensor } from "../../src/index.ts";
import { dispose } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
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
