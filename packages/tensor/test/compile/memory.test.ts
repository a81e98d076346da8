import { beforeEach, expect, it, vi } from "vitest";
import {
  backward,
  compile,
  crossEntropy,
  type Device,
  init,
  matmul,
  mul,
  noGrad,
  ones,
  sum,
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

it("dispose frees the memory at once", async () => {
  device.trim();
  const before = device.counts.bytes;
  const f = compile((x: Tensor) => noGrad(() => x.view()));
  const x = tensor(new Float32Array(4096));
  (await f(x)).dispose();
  expect(device.counts.bytes - before).toBeGreaterThanOrEqual(2 * 4 * 4096);
  await device.synchronize();
  f.dispose();
  x.dispose();
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

it("profile tells the time of every launch of more than are timed at once, and keeps nothing", async ({
  skip,
}) => {
  skip(!device.adapter.features.has("timestamp-query"), "the adapter has no timestamp-query");
  const x = ones([2, 2]);
  using f = compile((x: Tensor) => {
    let y = x;
    for (let i = 0; i < 300; i++) y = matmul(y, x);
    return y;
  });
  (await f(x)).dispose();
  const { launcher } = device;
  const onTimings = vi.fn();
  launcher.onTimings = onTimings;
  await device.synchronize();
  device.trim();
  const before = device.counts.bytes;
  expect(await f.profile(x)).toHaveLength(300);
  await device.synchronize();
  device.trim();
  expect(device.counts.bytes).toBe(before);
  expect(launcher.onTimings).toBe(onTimings);
  expect(onTimings).not.toHaveBeenCalled();
});

it("dispose destroys all buffers of a plan", async () => {
  const live = new Set<GPUBuffer>();
  const { gpu } = device;
  const create = gpu.createBuffer.bind(gpu);
  vi.spyOn(gpu, "createBuffer").mockImplementation((descriptor) => {
    const buffer = create(descriptor);
    live.add(buffer);
    vi.spyOn(buffer, "destroy").mockImplementationOnce(() => void live.delete(buffer));
    return buffer;
  });
  const [w, x] = [ones([20]), ones([20])];
  const before = live.size;
  const f = compile((x: Tensor) => mul(sum(w), sum(x)));
  (await f(x)).dispose();
  expect(f.plan).toMatchObject({ constant: 1, launches: 2 });
  expect(live.size).toBeGreaterThan(before);
  f.dispose();
  await device.synchronize();
  device.trim();
  expect(live.size).toBe(before);
  vi.restoreAllMocks();
});

it("a recording that fails holds no memory", async () => {
  device.trim();
  const before = device.counts.bytes;
  const w = ones([1000]);
  using f = compile((x: Tensor) => {
    mul(x, w);
    throw new Error("no");
  });
  await expect(f(ones([1]))).rejects.toMatchObject({ message: "no" });
  w.dispose();
  await device.synchronize();
  device.trim();
  expect(device.counts.bytes).toBeLessThanOrEqual(before + 256);
});
