import { beforeAll, describe, expect, it } from "vitest";
import {
  abs,
  add,
  backward,
  cast,
  ceil,
  clamp,
  cos,
  type Device,
  div,
  equal,
  exp,
  floor,
  full,
  gelu,
  greater,
  greaterEqual,
  init,
  leakyRelu,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  ones,
  pow,
  relu,
  reshape,
  round,
  rsqrt,
  scope,
  sigmoid,
  sign,
  silu,
  sin,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  where,
  zeros,
} from "../../src/index.ts";
import { checkGradient, randomValues } from "../gradient.ts";

let device: Device;

beforeAll(async () => {
  device = await init();
});

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];
const positive = (length: number, seed = 1) => randomValues(length, seed).map((value) => 1.25 + value);

/** a op b over broadcast shapes, by the definition. */
function outer(a: readonly number[], b: readonly number[], f: (a: number, b: number) => number) {
  const depth = Math.max(a.length, b.length);
  const side = (shape: readonly number[], axis: number) => shape[axis + shape.length - depth] ?? 1;
  const shape = Array.from({ length: depth }, (_, axis) =>
    side(a, axis) === 1 ? side(b, axis) : side(a, axis),
  );
  const at = (of: readonly number[], position: readonly number[]) =>
    position.reduce((sum, k, axis) => sum * side(of, axis) + (side(of, axis) === 1 ? 0 : k), 0);
  return (x: Float64Array, y: Float64Array): Float64Array => {
    const length = shape.reduce((size, side) => size * side, 1);
    return Float64Array.from({ length }, (_, i) => {
      const position: number[] = [];
      for (let axis = depth - 1, rest = i; axis >= 0; axis--) {
        position.unshift(rest % shape[axis]!);
        rest = Math.floor(rest / shape[axis]!);
      }
      return f(x[at(a, position)]!, y[at(b, position)]!);
    });
  };
}

const shapes: [a: number[], b: number[]][] = [
  [[7], [7]],
  [[2, 3, 5, 8], [8]],
  [[1, 5, 3, 7], [7]],
  [
    [3, 1, 8],
    [1, 5, 1],
  ],
  [
    [2, 1, 4],
    [3, 2, 3, 1],
  ],
  [[], [2, 3]],
  [[4, 12], [1]],
  [
    [5, 0],
    [1, 1],
  ],
];

describe.each(shapes)("of [%s] and [%s]", (a, b) => {
  const size = (shape: number[]) => shape.reduce((product, side) => product * side, 1);
  it.each([
    ["add", add, (a: number, b: number) => a + b],
    ["sub", sub, (a: number, b: number) => a - b],
    ["mul", mul, (a: number, b: number) => a * b],
    ["div", div, (a: number, b: number) => a / b],
    ["pow", pow, (a: number, b: number) => a ** b],
    ["maximum", maximum, Math.max],
    ["minimum", minimum, Math.min],
  ] as const)("%s and its gradients", async (_, op, f) => {
    await checkGradient({
      op,
      reference: outer(a, b, f),
      shapes: [a, b],
      values: [positive(size(a)), positive(size(b), 2)],
      // Neither llvmpipe's log nor its exp has all of float32's digits.
      tolerance: op === pow ? 3e-5 : 1e-5,
    });
  });
});

describe("with numbers", () => {
  it.each([
    ["x + 2", (x: Tensor) => add(x, 2), (x: number) => x + 2],
    ["2 − x", (x: Tensor) => sub(2, x), (x: number) => 2 - x],
    ["x − 2", (x: Tensor) => sub(x, 2), (x: number) => x - 2],
    ["3 x", (x: Tensor) => mul(3, x), (x: number) => 3 * x],
    ["x / 3", (x: Tensor) => div(x, 3), (x: number) => x / 3],
    ["3 / x", (x: Tensor) => div(3, x), (x: number) => 3 / x],
    ["x³", (x: Tensor) => pow(x, 3), (x: number) => x ** 3],
    ["2ˣ", (x: Tensor) => pow(2, x), (x: number) => 2 ** x],
    ["max(x, 1)", (x: Tensor) => maximum(x, 1), (x: number) => Math.max(x, 1)],
    ["min(1, x)", (x: Tensor) => minimum(1, x), (x: number) => Math.min(x, 1)],
  ] as const)("%s and its gradient", async (_, op, f) => {
    await checkGradient({
      op,
      reference: (x) => x.map(f),
      shapes: [[3, 5, 4]],
      values: [positive(60)],
      tolerance: 3e-5,
    });
  });

  it("makes one pipeline for all of them, and no buffer", async () => {
    const x = ones([31]);
    scope(() => mul(x, 0.5)).dispose();
    const { pipelines, bindGroups, buffers } = device.counts;
    for (let i = 0; i < 20; i++) scope(() => mul(x, i / 7)).dispose();
    expect(device.counts).toMatchObject({ pipelines, bindGroups, buffers });
  });
});

describe("of one tensor", () => {
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
    const expected = [
      -5.9195e-9, -1.26685e-4, -0.0455002639, -0.1586552539, 0, 0.8413447461, 2.995950306, 100,
    ];
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
});

describe("whole numbers", () => {
  it("stay whole, beyond what float32 holds", async () => {
    const x = tensor(Int32Array.of(16_777_217, -5));
    expect((await add(x, 2).data()).constructor).toBe(Int32Array);
    expect(await values(add(x, 2))).toEqual([16_777_219, -3]);
    expect(await values(mul(x, tensor(Int32Array.of(3, 3))))).toEqual([50_331_651, -15]);
    expect(await values(sub(1, x))).toEqual([-16_777_216, 6]);
    expect(await values(neg(x))).toEqual([-16_777_217, 5]);
    expect(await values(maximum(x, 0))).toEqual([16_777_217, 0]);
  });

  it("become fractions where fractions come in", async () => {
    const x = tensor(Int32Array.of(3, -5));
    expect(div(x, 2).dtype).toBe("f32");
    expect(await values(div(x, 2))).toEqual([1.5, -2.5]);
    expect(await values(mul(x, 0.5))).toEqual([1.5, -2.5]);
    expect(await values(mul(x, tensor([0.5, 2])))).toEqual([1.5, -10]);
    expect(await values(exp(mul(x, 0)))).toEqual([1, 1]);
  });

  it("become fractions beyond 32 bits", async () => {
    const x = tensor(Int32Array.of(5, -5));
    expect(await values(less(x, 3e9))).toEqual([1, 1]);
    expect(await values(mul(x, 1e10))).toEqual([5e10, -5e10].map(Math.fround));
    expect(await values(add(tensor(Uint32Array.of(1)), 4e9))).toEqual([4_000_000_001]);
  });

  it("compare with each other and with labels of either sign", async () => {
    const x = tensor(Uint32Array.of(1, 2, 3));
    const y = equal(x, tensor(Int32Array.of(1, 0, 3)));
    expect(y.dtype).toBe("f32");
    expect(await values(y)).toEqual([1, 0, 1]);
  });

  it("convert", async () => {
    const x = tensor([-1.75, 2.5, 7]);
    expect(await values(cast(x, "i32"))).toEqual([-1, 2, 7]);
    expect(await values(cast(cast(x, "i32"), "f32"))).toEqual([-1, 2, 7]);
    expect(await values(cast(tensor(Int32Array.of(3, 4)), "u32"))).toEqual([3, 4]);
  });

  it("let no gradient through", async () => {
    const x = tensor([-1.75, 2.5], { requiresGrad: true });
    expect(cast(x, "i32").requiresGrad).toBe(false);
    backward(sum(add(x, cast(cast(x, "i32"), "f32"))));
    expect(await values(x.grad!)).toEqual([1, 1]);
  });
});

it("compares", async () => {
  const a = tensor([1, 2, 3]);
  expect(await values(equal(a, 2))).toEqual([0, 1, 0]);
  expect(await values(notEqual(a, 2))).toEqual([1, 0, 1]);
  expect(await values(greater(a, 2))).toEqual([0, 0, 1]);
  expect(await values(greaterEqual(a, 2))).toEqual([0, 1, 1]);
  expect(await values(less(a, 2))).toEqual([1, 0, 0]);
  expect(await values(lessEqual(2, a))).toEqual([0, 1, 1]);
});

describe("where", () => {
  it("chooses, with gradients for both", async () => {
    await checkGradient({
      op: (a, b) => where(tensor([1, 0, 0.5], [3, 1]), a, b),
      reference: (a, b) =>
        Float64Array.from({ length: 15 }, (_, i) => (i < 5 || i >= 10 ? a[i % 5]! : b[i]!)),
      shapes: [[5], [3, 5]],
    });
  });

  it("takes numbers, and whole ones", async () => {
    const mask = tensor([0.5, 0]);
    expect(await values(where(mask, 1, -1))).toEqual([1, -1]);
    expect(await values(where(mask, tensor(Int32Array.of(16_777_217, 2)), 7))).toEqual([16_777_217, 7]);
    expect(await values(where(tensor(Int32Array.of(0, 9)), tensor([1, 2]), 0))).toEqual([0, 2]);
  });
});

it("computes with float16 where the adapter has it", async ({ skip }) => {
  skip(!device.adapter.features.has("shader-f16"), "no shader-f16");
  const half = cast(tensor([1, 2.5, -3, 4]), "f16");
  expect(half.dtype).toBe("f16");
  const sum = add(half, 1);
  expect(sum.dtype).toBe("f16");
  expect(await values(sum)).toEqual([2, 3.5, -2, 5]);
  expect(add(half, tensor([1])).dtype).toBe("f32");
  expect(await values(relu(half))).toEqual([1, 2.5, 0, 4]);
  const mask = tensor(Int32Array.of(1, 0, 1, 0));
  expect(
    [where(mask, half, half), where(mask, half, 1), where(mask, half, tensor([1]))].map(({ dtype }) => dtype),
  ).toEqual(["f16", "f16", "f32"]);
  const x = tensor([1, 2, 3, 4], [4], { requiresGrad: true });
  backward(mul(cast(x, "f16"), half), full([4], 2, { dtype: "f16" }));
  expect(x.grad!.dtype).toBe("f32");
  expect(await values(x.grad!)).toEqual([2, 5, -6, 8]);
});

it("takes nothing, and twenty million", { timeout: 120_000 }, async () => {
  expect(await values(relu(zeros([0, 3])))).toEqual([]);
  expect(add(zeros([0, 3]), zeros([3])).shape).toEqual([0, 3]);
  const length = 20_000_003;
  const y = scope(() => relu(sub(full([length], 0.25), 1)));
  const found = await y.data();
  y.dispose();
  expect(found.length).toBe(length);
  expect(found.every((value) => value === 0)).toBe(true);
});

describe("says what is wrong", () => {
  const message = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return "nothing";
  };

  it("with shapes that do not broadcast", () => {
    expect(message(() => add(zeros([2, 3]), zeros([4])))).toMatchInlineSnapshot(
      `"ShapeError: add: a has 3 elements along axis 1 but b has 4 along axis 0. a is [2,3]; b is [4]."`,
    );
    expect(message(() => mul(zeros([8, 32, 32, 64]), zeros([8, 16, 16, 64])))).toMatchInlineSnapshot(
      `"ShapeError: mul: a has 32 elements along axis 2 but b has 16 along axis 2. a is [8,32,32,64]; b is [8,16,16,64]."`,
    );
    expect(message(() => where(zeros([3]), zeros([2, 1]), zeros([4])))).toMatchInlineSnapshot(
      `"ShapeError: where: condition has 3 elements along axis 0 but b has 4 along axis 0. condition is [3]; a is [2,1]; b is [4]."`,
    );
  });

  it("with what is neither a tensor nor a number", () => {
    const add2 = add as (a: Tensor, b: unknown) => Tensor;
    expect(message(() => add2(zeros([2]), undefined))).toMatchInlineSnapshot(
      `"TypeError: add: b is undefined, not a tensor or a number."`,
    );
    expect(message(() => add2(zeros([2]), [1, 2]))).toMatchInlineSnapshot(
      `"TypeError: add: b is an array, not a tensor or a number."`,
    );
    expect(message(() => add2(zeros([2]), "3"))).toMatchInlineSnapshot(
      `"TypeError: add: b is a string, not a tensor or a number."`,
    );
  });

  it("with numbers alone", () => {
    expect(message(() => add(1, 2))).toMatchInlineSnapshot(
      `"ShapeError: add: one of a, b has to be a tensor, but all are numbers."`,
    );
  });
});
