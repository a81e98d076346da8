import { backward, compile, crossEntropy, init, type Tensor, tensor, zeros } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { expect, it } from "vitest";
import { resnet20 } from "../src/index.ts";

it("a ResNet-20 is trained in the memory that the plan says, at most 60 % of what its tensors would take", async () => {
  const device = await init({ quiet: true });
  const model = resnet20();
  const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9 });
  using x = zeros([8, 32, 32, 3]);
  using labels = tensor(new Int32Array(8));
  device.trim();
  const before = device.counts.bytes;
  using step = compile((x: Tensor, labels: Tensor) => {
    const loss = crossEntropy(model.forward(x), labels);
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  for (let i = 0; i < 2; i++) {
    using loss = await step(x, labels);
    await loss.item();
  }
  const { bytes, constantBytes, bytesWithoutReuse } = step.plan!;
  expect(device.counts.bytes - before).toBeLessThanOrEqual(1.1 * (bytes + constantBytes));
  expect(bytes).toBeLessThanOrEqual(0.6 * bytesWithoutReuse);
  optimizer.dispose();
  dispose(model);
});
