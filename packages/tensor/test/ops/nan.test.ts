import { beforeAll, describe, expect, it } from "vitest";
import * as sg from "../../src/index.ts";
import { backward, init, scope, type Tensor, tensor } from "../../src/index.ts";

const NAN = Number.NaN;
/** NaN of both signs: processors make negative ones, JavaScript positive ones. */
const BOTH = Float32Array.of(NAN, NAN, 1, -2);
new DataView(BOTH.buffer).setUint32(4, 0xffc00000, true);

beforeAll(async () => {
  await init();
});

const values = async (f: () => Tensor): Promise<number[]> => [...(await scope(f).data())];
const slopes = async (x: number[] | Float32Array, f: (x: Tensor) => Tensor): Promise<number[]> => {
  const leaf = tensor(x, [x.length], { requiresGrad: true });
  scope(() => {
    const y = f(leaf);
    backward(y, sg.ones(y.shape));
  });
  return [...(await leaf.grad!.data())];
};

describe("NaN comes through", () => {
  const unary: [string, (x: Tensor) => Tensor][] = [
    ["relu", sg.relu],
    ["leakyRelu", sg.leakyRelu],
    ["sigmoid", sg.sigmoid],
    ["tanh", sg.tanh],
    ["silu", sg.silu],
    ["gelu", sg.gelu],
    ["clamp", (x) => sg.clamp(x, -1, 1)],
    ["exp", sg.exp],
    ["log", sg.log],
    ["sqrt", sg.sqrt],
    ["rsqrt", sg.rsqrt],
    ["sin", sg.sin],
    ["cos", sg.cos],
    ["floor", sg.floor],
    ["ceil", sg.ceil],
    ["round", sg.round],
    ["neg", sg.neg],
    ["abs", sg.abs],
    ["square", sg.square],
    ["add", (x) => sg.add(x, 1)],
    ["sub", (x) => sg.sub(1, x)],
    ["mul", (x) => sg.mul(x, 0)],
    ["div", (x) => sg.div(1, x)],
    ["maximum", (x) => sg.maximum(x, 0)],
    ["minimum", (x) => sg.minimum(0, x)],
    ["pow, its base", (x) => sg.pow(x, 0.5)],
    ["pow, its exponent", (x) => sg.pow(0.5, x)],
    ["softmax", (x) => sg.softmax(sg.reshape(x, [-1, 1]), 1)],
    ["softplus", sg.softplus],
    ["elu", sg.elu],
    ["tan", sg.tan],
    ["erf", sg.erf],
    ["atan2, its y", (x) => sg.atan2(x, 1)],
    ["atan2, its x", (x) => sg.atan2(1, x)],
    ["cumsum", (x) => sg.cumsum(sg.reshape(x, [-1, 1]))],
    ["logSumExp", (x) => sg.logSumExp(sg.reshape(x, [-1, 1]), 1)],
    ["norm", (x) => sg.norm(sg.reshape(x, [-1, 1]), 1)],
    ["norm of infinity", (x) => sg.norm(sg.reshape(x, [-1, 1]), 1, { p: Infinity })],
    ["prod", (x) => sg.prod(sg.reshape(x, [-1, 1]), 1)],
    ["sort", (x) => sg.sort(x, { descending: true }).values],
    ["l1Loss", (x) => sg.l1Loss(x, sg.zerosLike(x), { reduction: "none" })],
    ["huberLoss", (x) => sg.huberLoss(x, sg.zerosLike(x), { reduction: "none" })],
    ["bceWithLogits", (x) => sg.bceWithLogits(x, sg.zerosLike(x), { reduction: "none" })],
  ];
  it.each(unary)("%s", async (_, f) => {
    const found = await values(() => f(tensor(BOTH)));
    expect(found.slice(0, 2)).toEqual([NAN, NAN]);
    // Alone, where four elements go in a vector above.
    expect(await values(() => f(tensor(BOTH.subarray(1, 2))))).toEqual([NAN]);
  });

  it.each([
    ["max", sg.max],
    ["min", sg.min],
    ["sum", sg.sum],
    ["mean", sg.mean],
    ["variance", sg.variance],
  ] as [string, (x: Tensor, axes?: number) => Tensor][])("%s", async (_, f) => {
    for (const at of [0, 1, 2]) {
      const x = Float32Array.of(1, 3, 2, 0, -1, 5);
      x[at] = NAN;
      const [first, second] = await values(() => f(tensor(x, [2, 3]), 1));
      expect([first, Number.isNaN(second)]).toEqual([NAN, false]);
      expect((await values(() => f(tensor(x, [3, 2]), 0)))[at % 2]).toBeNaN();
    }
  });

  it("argmax and argmin, which take the first", async () => {
    const x = [1, NAN, 3, NAN];
    expect(await values(() => sg.argmax(tensor(x)))).toEqual([1]);
    expect(await values(() => sg.argmin(tensor(x)))).toEqual([1]);
  });

  it("softmax, whose whole row it is", async () => {
    const rows = await values(() => sg.softmax(tensor([1, NAN, 2, 1, 2, 3], [2, 3])));
    expect(rows.map(Number.isNaN)).toEqual([true, true, true, false, false, false]);
  });

  it("products and what is computed with them", async () => {
    const x = tensor([1, NAN, 2, 3], [2, 2]);
    const found = await values(() => sg.relu(sg.add(sg.matmul(x, sg.ones([2, 2])), tensor([1, -9]))));
    expect(found).toEqual([NAN, NAN, 6, 0]);
  });
});

describe("comparisons with NaN", () => {
  const cases: [string, (a: sg.Operand, b: sg.Operand) => Tensor, number][] = [
    ["equal", sg.equal, 0],
    ["notEqual", sg.notEqual, 1],
    ["greater", sg.greater, 0],
    ["greaterEqual", sg.greaterEqual, 0],
    ["less", sg.less, 0],
    ["lessEqual", sg.lessEqual, 0],
  ];
  it.each(cases)("%s", async (_, f, expected) => {
    expect(await values(() => f(tensor(BOTH), tensor(BOTH)))).toEqual([
      ...[expected, expected],
      ...(await values(() => f(tensor([1, -2]), tensor([1, -2])))),
    ]);
    expect(await values(() => f(tensor([1, NAN]), tensor([NAN, 1])))).toEqual([expected, expected]);
    expect(await values(() => f(tensor([1, -1, 0]), NAN))).toEqual([expected, expected, expected]);
  });

  it("where takes a NaN for true", async () => {
    expect(await values(() => sg.where(tensor([NAN, 0, -0, 1]), 1, 2))).toEqual([1, 2, 2, 1]);
    const whole = (x: number) => tensor(Int32Array.of(x, x));
    expect(await values(() => sg.where(tensor([NAN, 0]), whole(1), whole(2)))).toEqual([1, 2]);
  });

  it("sign is 0", async () => {
    expect(await values(() => sg.sign(tensor([NAN, -3, 0, 2])))).toEqual([0, -1, 0, 1]);
  });
});

describe("gradients at NaN", () => {
  it("of relu, leakyRelu, clamp and abs are PyTorch's", async () => {
    expect(await slopes([NAN, 1, -1], sg.relu)).toEqual([1, 1, 0]);
    expect(await slopes([NAN, 1, -1], (x) => sg.leakyRelu(x, 0.25))).toEqual([0.25, 1, 0.25]);
    expect(await slopes([NAN, 1, -1], (x) => sg.clamp(x, 0, 2))).toEqual([0, 1, 0]);
    expect(await slopes([NAN, 1, -1], sg.abs)).toEqual([0, 1, -1]);
  });

  it("of maximum and minimum go to both", async () => {
    expect(await slopes([NAN, 1, 3, 2], (x) => sg.maximum(x, 2))).toEqual([1, 0, 1, 0.5]);
    expect(await slopes([1, 1, 3, 2], (x) => sg.minimum(x, tensor([NAN, 2, 2, 2])))).toEqual([1, 1, 0, 0.5]);
  });

  it("of max and min are shared among the NaN", async () => {
    expect(await slopes([1, NAN, 3, NAN], (x) => sg.max(x))).toEqual([0, 0.5, 0, 0.5]);
    expect(await slopes([1, 0, 3, NAN], (x) => sg.min(x))).toEqual([0, 0, 0, 1]);
    expect(await slopes([1, 0, 1], (x) => sg.max(x))).toEqual([0.5, 0, 0.5]);
  });
});

it("softplus and bceWithLogits have their limits at infinity", async () => {
  const x = tensor([-Infinity, Infinity]);
  expect([...(await sg.softplus(x).data())]).toEqual([0, Infinity]);
  expect(await sg.bceWithLogits(tensor([Infinity]), tensor([0])).item()).toBe(Infinity);
});

it("the deviation of equal numbers is 0, and so is its gradient", async () => {
  const x = tensor([3, 3, 3], { requiresGrad: true });
  const y = sg.std(x);
  expect(await y.item()).toBe(0);
  backward(y);
  expect([...(await x.grad!.data())]).toEqual([0, 0, 0]);
});

it("statistics of halves are floats: a deviation of 1,000 does not overflow", async ({ skip }) => {
  skip(!sg.defaultDevice().adapter.features.has("shader-f16"), "no shader-f16");
  const x = tensor([-1000, 1000, -1000, 1000], { dtype: "f16" });
  expect(await sg.std(x, undefined, { unbiased: false }).item()).toBe(1000);
  expect([...(await sg.layerNorm(x).data())]).toEqual([-1, 1, -1, 1]);
});
