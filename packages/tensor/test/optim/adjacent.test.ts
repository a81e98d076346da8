import { beforeAll, describe, expect, it } from "vitest";
import {
  add,
  assign,
  backward,
  compile,
  type Device,
  init,
  mean,
  mul,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { Adam, AdamW, clipGradNorm, LossScaler, type Optimizer, SGD } from "../../src/optim/index.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

const SIZES = [5, 64, 300, 1, 1021, 16, 16, 33, 2];
const wave = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + i * i));
const leaves = (): Tensor[] => SIZES.map((size, i) => tensor(wave(size, i), [size], { requiresGrad: true }));

/** The sum of the squares, each parameter's with a factor of its own. */
const bowl = (leaves: readonly Tensor[]): Tensor =>
  leaves.map((w, i) => sum(mul(mul(w, w), i + 1))).reduce((a, b) => add(a, b));

function step(leaves: readonly Tensor[], optimizers: readonly Optimizer<never>[]): void {
  scope(() => {
    backward(bowl(leaves));
    for (const optimizer of optimizers) optimizer.step();
    for (const optimizer of optimizers) optimizer.zeroGrad();
  });
}

const KINDS: [string, (w: readonly Tensor[]) => Optimizer<never>][] = [
  ["SGD", (w) => new SGD(w, { lr: 0.01, weightDecay: 0.1 }) as never],
  ["SGD with Nesterov", (w) => new SGD(w, { lr: 0.01, momentum: 0.9, nesterov: true }) as never],
  ["Adam", (w) => new Adam(w, { lr: 0.1 }) as never],
  ["AdamW", (w) => new AdamW(w, { lr: 0.1 }) as never],
];

const numbersOf = (tensors: readonly Tensor[]) => Promise.all(tensors.map((x) => x.data()));

/** Launches of a kernel's name in the last call of a compiled function. */
const kernels = (f: { plan: { steps: readonly { kernel: string }[] } | undefined }, name: string) =>
  f.plan!.steps.filter(({ kernel }) => kernel === name).length;

describe.each(KINDS)("%s", (_, make) => {
  it("moves all parameters by one launch, to the bits of one optimizer for each", async () => {
    const [together, apart] = [leaves(), leaves()];
    const one = make(together);
    const many = apart.map((w) => make([w]));
    for (let i = 0; i < 4; i++) {
      step(together, [one]);
      step(apart, many);
    }
    expect(await numbersOf(together)).toEqual(await numbersOf(apart));
    for (const w of together) w.grad = tensor(wave(w.size, 1), w.shape);
    const { launches } = device.counts;
    one.step();
    expect(device.counts.launches - launches).toBe(1 + Math.ceil(SIZES.length / 7));
  });

  it("does so compiled, where gradients are computed into one buffer", async () => {
    const [eager, compiled] = [leaves(), leaves()];
    const [first, second] = [make(eager), make(compiled)];
    using f = compile(() => {
      const loss = bowl(compiled);
      backward(loss);
      second.step();
      second.zeroGrad();
      return loss;
    });
    for (let i = 0; i < 3; i++) {
      step(eager, [first]);
      (await f()).dispose();
    }
    const found = await numbersOf(compiled);
    (await numbersOf(eager)).forEach((w, i) => {
      for (const [k, value] of w.entries()) expect(found[i]![k]).toBeCloseTo(value, 5);
    });
    const updates = f.plan!.steps.filter(({ kernel }) => ["sgd", "momentum", "adam"].includes(kernel));
    expect(updates).toHaveLength(1);
    expect(kernels(f, "pack")).toBe(0);
  });
});

it("a parameter that is frozen later stays where it is, and the others move", async () => {
  const [frozen, all] = [leaves(), leaves()];
  const optimizers = [frozen, all].map((w) => new SGD(w, { lr: 0.01, momentum: 0.9 }) as never);
  step(frozen, [optimizers[0]!]);
  step(all, [optimizers[1]!]);
  frozen[3]!.requiresGrad = false;
  const before = await frozen[3]!.data();
  step(frozen, [optimizers[0]!]);
  step(all, [optimizers[1]!]);
  const found = await numbersOf(frozen);
  const expected = await numbersOf(all);
  expect(found[3]).toEqual(before);
  expect(found.filter((_, i) => i !== 3)).toEqual(expected.filter((_, i) => i !== 3));
});

it("two optimizers, the second of which takes over the parameters, both move them", async () => {
  const [w, v] = [leaves(), leaves()];
  const first = new SGD(w, { lr: 0.01, momentum: 0.9 });
  step(w, [first as never]);
  const second = new SGD([...w].reverse(), { lr: 0.01 });
  step(w, [second as never]);
  step(w, [first as never]);
  const many = v.map((one) => [new SGD([one], { lr: 0.01, momentum: 0.9 }), new SGD([one], { lr: 0.01 })]);
  for (const k of [0, 1, 0]) step(v, many.map((pair) => pair[k]!) as never);
  expect(await numbersOf(w)).toEqual(await numbersOf(v));
});

it("groups move by a launch each, also where all gradients were clipped together", async () => {
  const w = leaves();
  const groups = [0, 1].map((odd) => ({ params: w.filter((_, i) => i % 2 === odd), lr: 0.01 * (odd + 1) }));
  const optimizer = new SGD(groups, { lr: 0.01, momentum: 0.9 });
  using f = compile(() => {
    const loss = bowl(w);
    backward(loss);
    clipGradNorm(w, 0.5).dispose();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  (await f()).dispose();
  expect(["squares", "clipNorm", "momentum", "pack"].map((name) => kernels(f, name))).toEqual([1, 1, 2, 0]);
  const v = leaves();
  const others = [0, 1].map((odd) => ({ params: v.filter((_, i) => i % 2 === odd), lr: 0.01 * (odd + 1) }));
  const eager = new SGD(others, { lr: 0.01, momentum: 0.9 });
  scope(() => {
    backward(bowl(v));
    clipGradNorm(v, 0.5);
    eager.step();
    eager.zeroGrad();
  });
  const found = await numbersOf(w);
  (await numbersOf(v)).forEach((numbers, i) => {
    for (const [k, value] of numbers.entries()) expect(found[i]![k]).toBeCloseTo(value, 5);
  });
});

it("a scaled step is few launches, compiled", async () => {
  const w = leaves();
  const optimizer = new Adam(w, { lr: 0.1 });
  using scaler = new LossScaler({ initial: 8 });
  using f = compile(() => {
    const loss = bowl(w);
    scaler.backward(loss);
    scaler.step(optimizer, { clipNorm: 1 });
    optimizer.zeroGrad();
    return loss;
  });
  (await f()).dispose();
  expect(["squares", "lossScale", "adam", "pack"].map((name) => kernels(f, name))).toEqual([1, 1, 1, 0]);
});

it("a function that was compiled before sees the weights where they were moved to", async () => {
  const w = leaves();
  using predict = compile(() => sum(w[2]!));
  const before = await (await predict()).item();
  const optimizer = new SGD(w, { lr: 0.25 });
  expect(await (await predict()).item()).toBe(before);
  step(w, [optimizer as never]);
  assign(w[2]!, wave(300, 7));
  const expected = wave(300, 7).reduce((a, b) => a + b);
  expect(await (await predict()).item()).toBeCloseTo(expected, 4);
});

it("a function whose weights move while it is being prepared runs on them", async () => {
  const w = leaves();
  using predict = compile(() => mean(mul(w[2]!, 2)));
  const pending = predict();
  new SGD(w, { lr: 0.25 });
  const expected = wave(300, 2).reduce((a, b) => a + b) / 150;
  expect(await (await pending).item()).toBeCloseTo(expected, 5);
});

it("gradients of which one is made from another are copied to their place", async () => {
  const [a, b] = [leaves(), leaves()];
  const f = (w: Tensor[]) => {
    const [x, y] = w.slice(5, 7) as [Tensor, Tensor];
    const optimizer = new SGD([x, y], { lr: 0.5 });
    return () => {
      const loss = sum(mul(mul(x, x), y));
      backward(loss);
      const before = y.grad!;
      y.grad = mul(before, x.grad!);
      before.dispose();
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    };
  };
  scope(f(a));
  using compiled = compile(f(b));
  (await compiled()).dispose();
  expect(kernels(compiled, "pack")).toBe(1);
  expect(await numbersOf(b)).toEqual(await numbersOf(a));
});
