import { beforeAll, expect, it } from "vitest";
import {
  abs,
  add,
  backward,
  ceil,
  clamp,
  cos,
  div,
  exp,
  floor,
  gelu,
  init,
  leakyRelu,
  log,
  maximum,
  minimum,
  neg,
  ones,
  pow,
  relu,
  reshape,
  round,
  rsqrt,
  sigmoid,
  sign,
  silu,
  sin,
  sqrt,
  square,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.ts";
import { checkGradient, randomValues } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];
const positive = (length: number, seed = 1) => randomValues(length, seed).map((value) => 1.25 + value);

const sigmoidOf = (x: number) => 1 / (1 + Math.exp(-x));
/** Φ(x) by its Taylor series, which is exact to float64 near 0 (Abramowitz & Stegun, 26.2.10). */
const normalBelow = (x: number) => {
  let sum = 0;
  for (let n = 0, term = x; n < 80; n++, term *= -(x * x) / (2 * n)) sum += term / (2 * n + 1);
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
};
it.each([
  ["neg", neg, (x: number) => -x],
  ["abs", abs, Math.abs],
  ["square", square, (x: number) => x * x],
  ["exp", exp, Math.exp],
  ["relu", relu, (x: number) => Math.max(x, 0)],
  ["leakyRelu", leakyRelu, (x: number) => (x > 0 ? x : 0.01 * x)],
  ["sigmoid", sigmoid, sigmoidOf],
  ["tanh", tanh, Math.tanh],
  ["silu", silu, (x: number) => x * sigmoidOf(x)],
  ["gelu", gelu, (x: number) => x * normalBelow(x)],
  ["clamp", (x: Tensor) => clamp(x, -0.5, 0.25), (x: number) => Math.min(Math.max(x, -0.5), 0.25)],
] as const)("%s and its gradient", async (_, op, f) => {
  for (const shape of [[1, 7, 5], [4, 8], [0]]) {
    await checkGradient({ op: (x) => op(x!), reference: (x) => x!.map(f), shapes: [shape] });
  }
});

it.each([
  ["log", log, Math.log],
  ["sqrt", sqrt, Math.sqrt],
  ["rsqrt", rsqrt, (x: number) => 1 / Math.sqrt(x)],
] as const)("%s and its gradient", async (_, op, f) => {
  await checkGradient({ op, reference: (x) => x.map(f), shapes: [[3, 7]], values: [positive(21)] });
});

it.each([
  ["sin", sin, Math.sin],
  ["cos", cos, Math.cos],
] as const)("%s and its gradient", async (_, op, f) => {
  // WGSL lets both be off by 2⁻¹¹, and SwiftShader is by 10⁻⁴.
  const tolerance = 3e-4;
  await checkGradient({ op, reference: (x) => x!.map(f), shapes: [[3, 7]], tolerance });
});

it("rounds as NumPy does", async () => {
  const x = tensor([-1.5, -0.5, 0.5, 1.5, 2.5, 0.4]);
  expect(await values(add(floor(x), 0))).toEqual([-2, -1, 0, 1, 2, 0]);
  expect(await values(add(ceil(x), 0))).toEqual([-1, 0, 1, 2, 3, 1]);
  expect(await values(add(round(x), 0))).toEqual([-2, 0, 0, 2, 2, 0]);
  expect(await values(sign(x))).toEqual([-1, -1, 1, 1, 1, 1]);
});

it("stays within its limits far from 0", async () => {
  const x = tensor([-1000, -100, -20, 20, 100, 1000]);
  expect(await values(tanh(x))).toEqual([-1, -1, -1, 1, 1, 1]);
  const [far, near, , , ...ones] = await values(sigmoid(x));
  expect(far).toBe(0);
  expect(near).toBeLessThan(1e-40);
  expect(ones).toEqual([1, 1]);
  expect((await values(exp(x))).slice(0, 1)).toEqual([0]);
  expect((await values(silu(x))).slice(4)).toEqual([100, 1000]);
});

it("has PyTorch's values of gelu far from 0", async () => {
  const xs = [-6, -4, -2, -1, 0, 1, 3, 100];
  const y = await values(gelu(tensor(xs)));
  // torch.nn.functional.gelu in float64
  const expected = [-5.9195e-9, -1.26685e-4, -0.0455002639, -0.1586552539, 0, 0.8413447461, 2.995950306, 100];
  // Φ is off by 7.5e-8 at most, and then float32 rounds.
  for (const [i, x] of xs.entries()) {
    const allowed = 1e-7 * (Math.abs(x) + Math.abs(expected[i]!));
    expect(Math.abs(y[i]! - expected[i]!)).toBeLessThanOrEqual(allowed);
  }
});

it("keeps digits near 0", async () => {
  const [small] = await values(tanh(tensor([1e-6])));
  expect(small! / 1e-6).toBeCloseTo(1, 6);
});

it("has slope 0 where relu's input is 0, and shares the gradient of equals", async () => {
  const x = tensor([-1, 0, 2], [3], { requiresGrad: true });
  backward(relu(x), ones([3]));
  expect(await values(x.grad!)).toEqual([0, 0, 1]);
  const [a, b] = [1, 1].map((value) => tensor([value], [1], { requiresGrad: true }));
  backward(maximum(a!, b!));
  expect([await a!.grad!.item(), await b!.grad!.item()]).toEqual([0.5, 0.5]);
});

it("lets NaN through", async () => {
  const x = tensor([Number.NaN, 1]);
  const all = [relu(x), clamp(x, 0, 2), maximum(x, 0), minimum(0, x), sigmoid(x), tanh(x)];
  for (const y of all) expect((await y.data())[0]).toBeNaN();
});

it("divides by numbers whose square is beyond float32, with gradients", async () => {
  const [a, b] = [1, 1].map(() => tensor([2 ** -80, 2 ** 80], [2], { requiresGrad: true }));
  backward(div(a!, b!), ones([2]));
  expect(await values(b!.grad!)).toEqual([-(2 ** 80), -(2 ** -80)]);
});

it("takes powers as IEEE 754 has them", async () => {
  const numbers = [
    -0,
    0,
    1,
    -1,
    0.5,
    -0.5,
    2,
    -3,
    10,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
  ];
  const exponents = [
    0,
    -0,
    1,
    -1,
    2,
    3,
    -3,
    0.5,
    -0.5,
    7,
    1e9,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
  ];
  const pairs = numbers.flatMap((a) => exponents.map((b) => [a, b] as const));
  // JavaScript alone has 1^NaN and (±1)^±∞ as NaN.
  const exact = (a: number, b: number) =>
    a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;
  const a = tensor(pairs.map(([a]) => a));
  const b = tensor(pairs.map(([, b]) => b));
  const wanted = pairs.map(([a, b]) => Math.fround(exact(a, b)));
  const near = (found: number, want: number) =>
    Object.is(found, want) || Math.abs(found / want - 1) < (Number.isInteger(want) ? 0 : 1e-6);
  for (const found of [
    await values(pow(a, b)),
    await values(pow(reshape(a, [-1, 1]), reshape(b, [-1, 1]))),
  ]) {
    const wrong = pairs.flatMap(([a, b], i) =>
      near(found[i]!, wanted[i]!) ? [] : [[a, b, found[i], wanted[i]]],
    );
    expect(wrong).toEqual([]);
  }
  expect(await values(pow(tensor([10, 3, -7, 1.5, 2, 10]), tensor([2, 5, 3, 4, 30, -2])))).toEqual([
    ...[100, 243, -343, 5.0625, 2 ** 30],
    Math.fround(0.01),
  ]);
});

it("takes powers of negative numbers", async () => {
  const x = tensor([-2, -2, -2, 0, 0]);
  const found = await values(pow(x, tensor([2, 3, -1, 0, 2])));
  for (const [i, value] of [4, -8, -0.5, 1, 0].entries()) expect(found[i]).toBeCloseTo(value, 5);
  expect(await pow(tensor(-2), 0.5).item()).toBeNaN();
  expect(await values(pow(tensor([0, 0, 0]), tensor([-1, -2, -0.5])))).toEqual([
    Infinity,
    Infinity,
    Infinity,
  ]);
  const leaf = tensor([0, -3], [2], { requiresGrad: true });
  backward(pow(leaf, 2), ones([2]));
  const slopes = await values(leaf.grad!);
  for (const [i, slope] of [0, -6].entries()) expect(slopes[i]).toBeCloseTo(slope, 4);
});
