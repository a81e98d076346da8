import { beforeEach, expect, it } from "vitest";
import {
  backward,
  compile,
  crossEntropy,
  type Device,
  init,
  noGrad,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { dispose } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { batchOf, smallNet } from "../smallNet.ts";

let device: Device;
// A device for each test: the collector frees, at any time, what an earlier one left.
beforeEach(async () => {
  device = await init({ quiet: true });
});

it("a training step takes the memory that its plan says", async () => {
  const net = smallNet();
  const optimizer = new SGD(net, { lr: 0.1, momentum: 0.9 });
  const { x, labels } = batchOf(0);
  device.trim();
  const before = device.counts.bytes;
  using step = compile((x: Tensor, labels: Tensor) => {
    const loss = crossEntropy(net.forward(x), labels);
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  for (let i = 0; i < 3; i++) {
    using loss = await step(x, labels);
    await loss.item();
  }
  const { bytes, constantBytes } = step.plan!;
  const planned = bytes + constantBytes;
  // The loss itself, and what it is read through, are 512 bytes.
  expect(device.counts.bytes - before).toBeGreaterThanOrEqual(planned);
  expect(device.counts.bytes - before).toBeLessThanOrEqual(1.1 * planned + 512);
  optimizer.dispose();
  dispose(net);
});

it("dispose gives the memory back", async () => {
  device.trim();
  const before = device.counts.bytes;
  const f = compile((x: Tensor) => noGrad(() => x.view()));
  const x = tensor(new Float32Array(4096));
  (await f(x)).dispose();
  expect(device.counts.bytes - before).toBeGreaterThanOrEqual(2 * 4 * 4096);
  f.dispose();
  x.dispose();
  await device.synchronize();
  device.trim();
  expect(device.counts.bytes).toBe(before);
});

it("profile tells what each launch took", async () => {
  const hasTimestamps = device.adapter.features.has("timestamp-query");
  const net = smallNet();
  using predict = compile((x: Tensor) => net.forward(x));
  if (!hasTimestamps) {
    await expect(predict.profile(batchOf(0).x)).rejects.toThrow("has no timestamp-query");
    return;
  }
  const timings = await predict.profile(batchOf(0).x);
  expect(timings.map(({ kernel }) => kernel)).toEqual(predict.plan!.steps.map(({ kernel }) => kernel));
  expect(timings.every(({ microseconds }) => microseconds >= 0)).toBe(true);
  dispose(net);
});
