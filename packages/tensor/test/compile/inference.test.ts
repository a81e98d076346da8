import { beforeAll, expect, it } from "vitest";
import {
  add,
  assign,
  cast,
  clamp,
  compile,
  type Device,
  init,
  manualSeed,
  matmul,
  mul,
  noGrad,
  pow,
  relu,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { BatchNorm2d, Conv2d, evaluate, Linear, Sequential, train } from "../../src/nn/index.ts";
import { relativeError } from "../compare.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
  manualSeed(1);
});

const wave = (length: number, seed = 1) => Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i));
const image = (seed: number, N = 2) => tensor(wave(N * 7 * 6 * 8, seed), [N, 7, 6, 8]);

/** conv + norm + relu, and a shortcut around a second one, with statistics that are not 0 and 1. */
function block({ bias = true } = {}) {
  const [conv1, conv2] = [
    new Conv2d(8, 8, 3, { padding: 1, bias }),
    new Conv2d(8, 8, 3, { padding: 1, bias }),
  ];
  const [bn1, bn2] = [new BatchNorm2d(8), new BatchNorm2d(8)];
  for (const [i, { weight, bias, runningMean, runningVar }] of [bn1, bn2].entries()) {
    assign(weight, wave(8, i + 2));
    assign(bias, wave(8, i + 3));
    assign(runningMean, wave(8, i + 4));
    assign(
      runningVar,
      wave(8, i + 5).map((v) => 1 + v * v),
    );
  }
  return {
    ...{ conv1, conv2, bn1, bn2 },
    forward(x: Tensor): Tensor {
      const y = relu(bn1.forward(conv1.forward(x)));
      return relu(add(bn2.forward(conv2.forward(y)), x));
    },
  };
}

it.each([true, false])("a residual block in evaluation is two launches a call (bias: %s)", async (bias) => {
  const net = block({ bias });
  evaluate(net);
  using predict = compile((x: Tensor) => noGrad(() => net.forward(x)));
  for (const seed of [1, 2]) {
    const x = image(seed);
    const y = await predict(x);
    expect(relativeError(await y.data(), await noGrad(() => net.forward(x)).data())).toBeLessThan(1e-6);
    expect(y.shape).toEqual([2, 7, 6, 8]);
  }
  expect(predict.plan).toMatchObject({ launches: 2 });
});

it("weights that change are folded again", async () => {
  const net = block();
  evaluate(net);
  using predict = compile((x: Tensor) => noGrad(() => net.forward(x)));
  const x = image(1);
  const before = await (await predict(x)).data();
  assign(net.bn2.weight, wave(8, 9));
  assign(net.conv1.weight, wave(9 * 64, 5));
  const after = await (await predict(x)).data();
  expect(relativeError(after, await noGrad(() => net.forward(x)).data())).toBeLessThan(1e-6);
  expect(relativeError(after, before)).toBeGreaterThan(0.01);
});

it("a model that is put into training is recorded again", async () => {
  const net = block();
  evaluate(net);
  using predict = compile((x: Tensor) => noGrad(() => net.forward(x)));
  const x = image(1);
  await predict(x);
  train(net);
  const trained = await (await predict(x)).data();
  expect(relativeError(trained, await noGrad(() => net.forward(x)).data())).toBeLessThan(1e-5);
  evaluate(net);
  expect(
    relativeError(await (await predict(x)).data(), await noGrad(() => net.forward(x)).data()),
  ).toBeLessThan(1e-6);
});

it("results keep their arrangement, belong to the caller, and outlive later calls", async () => {
  using f = compile((x: Tensor, y: Tensor) => ({ sum: add(x, y), both: [mul(x, y), x], what: "numbers" }));
  const [a, b] = [tensor([1, 2, 3]), tensor([4, 5, 6])];
  const first = await f(a, b);
  await f(b, b);
  expect(first.what).toBe("numbers");
  expect([...(await first.sum.data())]).toEqual([5, 7, 9]);
  expect([...(await first.both[0]!.data())]).toEqual([4, 10, 18]);
  expect([...(await first.both[1]!.data())]).toEqual([1, 2, 3]);
});

it("each shapes of the arguments have a plan of their own", async () => {
  const net = new Linear(8, 3);
  using f = compile((x: Tensor) => noGrad(() => relu(net.forward(x))));
  for (const rows of [1, 5, 1, 2]) {
    const x = tensor(wave(rows * 8, rows), [rows, 8]);
    expect(
      relativeError(await (await f(x)).data(), await noGrad(() => relu(net.forward(x))).data()),
    ).toBeLessThan(1e-6);
  }
});

it("calls that are not awaited keep their order and their arguments", async () => {
  using f = compile((x: Tensor) => mul(x, 2));
  const results = [1, 2, 3].map((value) => {
    using x = tensor([value]);
    return f(x);
  });
  expect(await Promise.all(results.map(async (y) => (await y).item()))).toEqual([2, 4, 6]);
});

it("a call submits once and makes no GPU object", async () => {
  // A device of its own, where the collector finds nothing of other tests to free meanwhile.
  device = await init({ quiet: true });
  const net = new Sequential(block(), block());
  evaluate(net);
  using predict = compile((x: Tensor) => noGrad(() => net.forward(x)));
  const x = image(1);
  for (let i = 0; i < 3; i++) (await predict(x)).dispose();
  const before = device.counts;
  for (let i = 0; i < 5; i++) (await predict(x)).dispose();
  const { launches: _, ...after } = device.counts;
  expect(after).toEqual({ ...before, launches: undefined, submits: before.submits + 5 });
});

it("NaN and powers come through a compiled product as through an eager one", async () => {
  const f = (x: Tensor, w: Tensor) => [relu(matmul(x, w)), clamp(matmul(x, w), 0, 2), pow(matmul(x, w), 2)];
  using compiled = compile(f);
  const x = tensor([1, Number.NaN, 2, 3, -4, 0, 5, -6], [4, 2]);
  const w = tensor(wave(8), [2, 4]);
  const eager = noGrad(() => f(x, w));
  for (const [i, y] of (await compiled(x, w)).entries())
    expect(await y.data()).toEqual(await eager[i]!.data());
});

it("elementwise ops without a kernel before them become one", async () => {
  using f = compile((x: Tensor, y: Tensor) => relu(add(mul(x, y), y)));
  const [x, y] = [tensor(wave(35), [7, 5]), tensor(wave(35, 3), [7, 5])];
  const expected = relu(add(mul(x, y), y));
  expect(relativeError(await (await f(x, y)).data(), await expected.data())).toBeLessThan(1e-7);
  expect(f.plan).toMatchObject({ launches: 1, merged: 2 });
});

it("what is used twice, or returned, is not merged away", async () => {
  using f = compile((x: Tensor) => {
    const y = mul(x, 3);
    return [y, add(relu(y), y)];
  });
  const x = tensor([-1, 2]);
  const [y, z] = await f(x);
  expect([...(await y!.data())]).toEqual([-3, 6]);
  expect([...(await z!.data())]).toEqual([-3, 12]);
});

it("numbers that are cut off by a cast stay so", async () => {
  using f = compile((x: Tensor) => mul(cast(x, "i32"), 0.5));
  expect([...(await (await f(tensor([1.9, -3.2]))).data())]).toEqual([0.5, -1.5]);
});
