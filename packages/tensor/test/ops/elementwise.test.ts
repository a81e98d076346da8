import { beforeAll, describe, expect, it } from "vitest";
import {
  add,
  backward,
  cast,
  type Device,
  div,
  equal,
  exp,
  full,
  greater,
  greaterEqual,
  init,
  less,
  lessEqual,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  ones,
  pow,
  relu,
  scope,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
  zeros,
} from "../../src/index.ts";
import { complaint } from "../complaint.ts";
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
      // llvmpipe's log and exp lack some of float32's digits.
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
  it("with shapes that do not broadcast", () => {
    expect(complaint(() => add(zeros([2, 3]), zeros([4])))).toMatchInlineSnapshot(
      `"ShapeError: add: a has 3 elements along axis 1 but b has 4 along axis 0. a is [2,3]; b is [4]."`,
    );
    expect(complaint(() => mul(zeros([8, 32, 32, 64]), zeros([8, 16, 16, 64])))).toMatchInlineSnapshot(
      `"ShapeError: mul: a has 32 elements along axis 2 but b has 16 along axis 2. a is [8,32,32,64]; b is [8,16,16,64]."`,
    );
    expect(complaint(() => where(zeros([3]), zeros([2, 1]), zeros([4])))).toMatchInlineSnapshot(
      `"ShapeError: where: condition has 3 elements along axis 0 but b has 4 along axis 0. condition is [3]; a is [2,1]; b is [4]."`,
    );
  });

  it("with what is neither a tensor nor a number", () => {
    const add2 = add as (a: Tensor, b: unknown) => Tensor;
    expect(complaint(() => add2(zeros([2]), undefined))).toMatchInlineSnapshot(
      `"TypeError: add: b is undefined, not a tensor or a number."`,
    );
    expect(complaint(() => add2(zeros([2]), [1, 2]))).toMatchInlineSnapshot(
      `"TypeError: add: b is an array, not a tensor or a number."`,
    );
    expect(complaint(() => add2(zeros([2]), "3"))).toMatchInlineSnapshot(
      `"TypeError: add: b is a string, not a tensor or a number."`,
    );
  });

  it("with numbers alone", () => {
    expect(complaint(() => add(1, 2))).toMatchInlineSnapshot(
      `"ShapeError: add: one of a, b has to be a tensor, but all are numbers."`,
    );
  });
});
