import { afterEach, expect, it, vi } from "vitest";
import {
  add,
  compile,
  init,
  noGrad,
  openDevice,
  slice,
  softmax,
  type Tensor,
  zeros,
} from "../../src/index.ts";
import { evaluate } from "../../src/nn/index.ts";
import { batchOf, smallNet } from "../smallNet.ts";

const MIB = 2 ** 20;

afterEach(() => vi.restoreAllMocks());

/** Count what a device creates from now on, but for commands, which WebGPU has no way to use again. */
function countCreated(gpu: GPUDevice): () => Record<string, number> {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(gpu)).filter(
    (name) => name.startsWith("create") && name !== "createCommandEncoder",
  );
  const spies = names.map((name) => [name, vi.spyOn(gpu, name as "createBuffer")] as const);
  return () =>
    Object.fromEntries(
      spies.map(([name, { mock }]) => [name, mock.calls.length]).filter(([, count]) => Number(count) > 0),
    );
}

// Phones have been seen to kill a page after some hundred inferences, each of which left objects behind.
it("1,000 classifications create no GPU object", { timeout: 300_000 }, async () => {
  const { gpu } = await init({ quiet: true });
  const net = evaluate(smallNet());
  using classify = compile((x: Tensor) => noGrad(() => softmax(net.forward(x))));
  const call = async (i: number) => {
    const { x, labels } = batchOf(i);
    using y = await classify(x);
    await y.data();
    for (const tensor of [x, labels]) tensor.dispose();
  };
  for (let i = 0; i < 10; i++) await call(i);
  const created = countCreated(gpu);
  for (let i = 0; i < 1000; i++) await call(i);
  expect(created()).toEqual({});
  zeros([1_000_003]).dispose();
  expect(created(), "the count sees a buffer").toMatchObject({ createBuffer: 1 });
});

it("what is compiled for a phone lies in buffers of at most 256 MiB", { timeout: 300_000 }, async () => {
  const limits = { maxBufferSize: 256 * MIB, maxStorageBufferBindingSize: 128 * MIB };
  const device = await openDevice({ quiet: true, limits });
  const created = vi.spyOn(device.gpu, "createBuffer");
  const x = zeros([100, MIB / 4], { device });
  using f = compile((x: Tensor) => noGrad(() => [1, 2, 3].map((i) => add(x, i))));
  const sums = await f(x);
  const sizes = created.mock.calls.map(([{ size }]) => size / MIB);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(256);
  expect(sizes.reduce((sum, size) => sum + size)).toBeGreaterThan(400); // x and three sums of 100 MiB
  expect(await Promise.all(sums.map((sum) => slice(sum, [0, 0], [1, 1]).item()))).toEqual([1, 2, 3]);
  expect(() => zeros([129, MIB / 4], { device })).toThrow("129 MiB; this device binds at most 128 MiB");
  device.destroy();
});
