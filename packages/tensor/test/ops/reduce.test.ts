import { beforeAll, describe, expect, it } from "vitest";
import {
  argmax,
  argmin,
  backward,
  defaultDevice,
  full,
  grad,
  init,
  max,
  mean,
  min,
  norm,
  scope,
  sum,
  type Tensor,
  tensor,
  variance,
} from "../../src/index.ts";
import { sumTo } from "../../src/ops/reduce.ts";
import { relativeError } from "../compare.ts";
import { complaint } from "../complaint.ts";
import { checkGradient, randomValues } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

/** The definition: f folded over the elements that share their position along the other axes. */
function fold(
  x: ArrayLike<number>,
  shape: readonly number[],
  axes: readonly number[],
  f: (a: number, b: number) => number,
  initial: number,
): Float64Array {
  const kept = shape.map((side, axis) => (axes.includes(axis) ? 1 : side));
  const y = new Float64Array(kept.reduce((a, b) => a * b, 1)).fill(initial);
  for (let i = 0; i < x.length; i++) {
    let rest = i;
    let at = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (!axes.includes(axis)) at += (rest % shape[axis]!) * stride;
      stride *= kept[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    y[at] = f(y[at]!, x[i]!);
  }
  return y;
}

const plus = (a: number, b: number) => a + b;
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

const SHAPES: [shape: number[], axes: number[]][] = [
  [
    [2, 3, 5, 7],
    [0, 2],
  ],
  [
    [2, 3, 5, 7],
    [1, 3],
  ],
  [
    [1, 5, 7, 8],
    [1, 2],
  ],
  [
    [3, 5, 7, 4],
    [0, 1, 2],
  ],
  [[13], [0]],
  [[3, 1, 11], []],
  [
    [2, 1, 3, 1, 5],
    [0, 2, 4],
  ],
  [[1, 307, 1], [-2]],
  // Axes out of order, which are no neighbours.
  [
    [2, 3, 5],
    [-1, 0],
  ],
];

describe("sum and mean", () => {
  it.each(SHAPES)("of %o over %o", async (shape, axes) => {
    const over = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
    const count = size(over.map((axis) => shape[axis]!));
    const reference = (x: Float64Array) => fold(x, shape, over, plus, 0);
    await checkGradient({ op: (x) => sum(x, axes), reference, shapes: [shape] });
    await checkGradient({
      op: (x) => mean(x, axes, { keepdims: true }),
      reference: (x) => reference(x).map((total) => total / count),
      shapes: [shape],
    });
  });

  it("keep or drop axes, all of them by default", () => {
    const x = tensor(randomValues(30), [2, 3, 5]);
    expect(sum(x).shape).toEqual([]);
    expect(sum(x, 1).shape).toEqual([2, 5]);
    expect(sum(x, [-1, 0], { keepdims: true }).shape).toEqual([1, 3, 1]);
    expect(mean(x, -3).shape).toEqual([3, 5]);
  });

  it("add ten million numbers exactly enough", async () => {
    const values = randomValues(10_000_019).map((value) => value + 1.5);
    const exact = values.reduce((total, value) => total + value, 0);
    const x = tensor(values);
    const total = sum(x);
    expect(Math.abs((await total.item()) / exact - 1)).toBeLessThan(1e-6);
    const half = mean(x);
    expect(Math.abs((await half.item()) / (exact / values.length) - 1)).toBeLessThan(1e-6);
    for (const each of [x, total, half]) each.dispose();
  });

  it("add long columns in passes", async () => {
    const shape = [20_011, 3];
    const values = randomValues(size(shape)).map((value) => value + 0.5);
    const found = await sum(tensor(values, shape), 0).data();
    expect(relativeError(found, fold(values, shape, [0], plus, 0))).toBeLessThan(1e-6);
  });

  it("make more rows than a dispatch has workgroups along an axis", async () => {
    const rows = 4_200_000; // of 64 a workgroup
    const x = tensor(new Float32Array(rows * 2).fill(1), [rows, 2]);
    const y = sum(x, 1);
    const found = await y.data();
    expect([found[0], found[rows - 1], found.length]).toEqual([2, 2, rows]);
    for (const each of [x, y]) each.dispose();
  });

  it("of nothing are 0 and NaN", async () => {
    const x = tensor([], [3, 0, 2]);
    expect([...(await sum(x, 1).data())]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...(await sum(x, 0).data())]).toEqual([]);
    expect(await sum(x).item()).toBe(0);
    expect(await mean(x).item()).toBeNaN();
  });

  it("of integers: the smallest and largest that there are, and argmax of neighbours beyond float32", async () => {
    const ints = Int32Array.of(2 ** 31 - 1, 2 ** 31 - 2);
    expect(await min(tensor(ints)).item()).toBe(2 ** 31 - 2);
    expect(await min(tensor(ints.subarray(0, 1))).item()).toBe(2 ** 31 - 1);
    expect(await max(tensor(Int32Array.of(-(2 ** 31)))).item()).toBe(-(2 ** 31));
    expect(await min(tensor(Uint32Array.of(2 ** 32 - 1))).item()).toBe(2 ** 32 - 1);
    expect(await argmax(tensor(Int32Array.of(2 ** 24, 2 ** 24 + 1))).item()).toBe(1);
    expect(await argmin(tensor(Int32Array.of(5, -(2 ** 31)))).item()).toBe(1);
    expect(await argmin(tensor(Uint32Array.of(2 ** 32 - 1, 2 ** 32 - 2))).item()).toBe(1);
  });

  it("of integers: an exact one, and a float", async () => {
    const x = tensor(Int32Array.of(2 ** 30, 2 ** 30 - 1, 3, -5), [2, 2]);
    const total = sum(x, 1);
    expect([total.dtype, ...(await total.data())]).toEqual(["i32", 2 ** 31 - 1, -2]);
    expect([...(await max(x, 0).data())]).toEqual([2 ** 30, 2 ** 30 - 1]);
    expect(await mean(tensor(Uint32Array.of(1, 0, 1, 1))).item()).toBe(0.75);
  });
});

describe("accuracy", () => {
  it.each([
    [[41], undefined],
    [[3, 41], 1],
    [[41, 4], 0],
    [[2, 5003, 2], 1],
    [[3, 4999], 1],
    [[300_007], undefined],
    [
      [7, 5, 11],
      [0, 2],
    ],
  ] as const)("the mean of equal numbers is that number: %j over %j", async (shape, axes) => {
    for (const value of [1, 0.1, -3.3e7]) {
      const found = await scope(() => mean(full(shape, value), axes)).data();
      expect([...new Set(found)]).toEqual([Math.fround(value)]);
    }
  });

  it("means weigh a short last chunk by its length", async () => {
    const values = Float32Array.from({ length: 4999 }, (_, i) => (i < 4990 ? 0 : 1));
    expect(Math.abs((await scope(() => mean(tensor(values))).item()) / (9 / 4999) - 1)).toBeLessThan(1e-6);
  });

  it("an infinite mean stays infinite", async () => {
    expect(await scope(() => mean(tensor([1, Number.POSITIVE_INFINITY]))).item()).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  it("sums of a million, in one go and down columns", async () => {
    const values = Float32Array.from({ length: 2 ** 20 }, (_, i) => 0.1 + (i % 7) * 1e-3);
    const exact = values.reduce((sum, value) => sum + value, 0);
    expect(Math.abs((await scope(() => sum(tensor(values))).item()) / exact - 1)).toBeLessThan(2e-7);
    const columns = await scope(() => sum(tensor(values, [2 ** 19, 2]), 0)).data();
    for (const i of [0, 1]) {
      const own = values.filter((_, at) => at % 2 === i).reduce((sum, value) => sum + value, 0);
      expect(Math.abs(columns[i]! / own - 1)).toBeLessThan(2e-7);
    }
  });

  it("the L2 norm of halves has no overflow on its way, and a gradient", async ({ skip }) => {
    const values = [300, -400, 0, 12_000];
    const exact = Math.hypot(...values);
    expect((await norm(tensor(values)).item()) / exact).toBeCloseTo(1, 6);
    expect([...(await norm(tensor([3, 4, 0, 0], [2, 2]), 1, { keepdims: true }).data())]).toEqual([5, 0]);
    expect(await norm(tensor([1, Number.NaN])).item()).toBeNaN();
    const dx = grad((x: Tensor) => sum(norm(x, 1)))(tensor([3, 4, 0, 0], [2, 2]));
    expect(relativeError(await dx.data(), [0.6, 0.8, 0, 0])).toBeLessThan(1e-6);
    skip(!defaultDevice().adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    expect(await norm(tensor(values, { dtype: "f16" })).item()).toBe(Math.fround(Math.round(exact / 8) * 8));
  });

  it.each([0.5, 1.5, 2.5, 3, -1])("norms of p = %s have their gradient", async (p) => {
    const length = (x: ArrayLike<number>) =>
      Array.from(x).reduce((sum, value) => sum + Math.abs(value) ** p, 0) ** (1 / p);
    await checkGradient({
      op: (x) => norm(x, 1, { p }),
      reference: (x) => [0, 1, 2].map((row) => length(x!.slice(5 * row, 5 * row + 5))),
      shapes: [[3, 5]],
      values: [randomValues(15).map((value) => value + Math.sign(value))],
    });
  });

  it.each([0.5, 1, 1.5, 2, 2.5, 3, -1, Infinity, -Infinity])(
    "the norm of zeros has no slope: p = %s",
    async (p) => {
      const x = tensor([0, 0, 0, -3], [2, 2], { requiresGrad: true });
      scope(() => backward(sum(norm(x, 1, { p }))));
      const found = [...(await x.grad!.data())].map((slope) => slope + 0); // no -0
      expect(found.slice(0, 3)).toEqual([0, 0, 0]);
      expect(found[3]).toBeCloseTo(p < 0 ? 0 : -1, 5);
    },
  );

  it("a norm of halves by cubes has no overflow on its way", async ({ skip }) => {
    skip(!defaultDevice().adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    expect(await norm(tensor([300, 400], { dtype: "f16" }), 0, { p: 3 }).item()).toBe(449.75);
  });

  it("variance far from 0", async () => {
    expect(await scope(() => variance(tensor([1e10, 1e10, 1e10]))).item()).toBe(0);
    const values = randomValues(10_000).map((value) => 1e6 + Math.sqrt(3) * value);
    const middle = values.reduce((sum, value) => sum + value, 0) / values.length;
    const exact = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
    expect((await scope(() => variance(tensor(values))).item()) / exact).toBeCloseTo(1, 5);
    const columns = await scope(() => variance(tensor(values, [2500, 4]), 0, { unbiased: false })).data();
    for (const [i, found] of columns.entries()) {
      const own = values.filter((_, at) => at % 4 === i);
      const center = own.reduce((sum, value) => sum + value, 0) / own.length;
      expect(found / (own.reduce((sum, value) => sum + (value - center) ** 2, 0) / own.length)).toBeCloseTo(
        1,
        5,
      );
    }
  });
});

describe("variance", () => {
  it.each(SHAPES.filter(([, axes]) => axes.length > 0))("of %o over %o", async (shape, axes) => {
    const over = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
    const count = size(over.map((axis) => shape[axis]!));
    const deviation = (x: Float64Array) => {
      const total = fold(x, shape, over, plus, 0);
      const squares = fold(
        x.map((value) => value * value),
        shape,
        over,
        plus,
        0,
      );
      return squares.map((value, i) => value - total[i]! ** 2 / count);
    };
    await checkGradient({
      op: (x) => variance(x, axes),
      reference: (x) => deviation(x!).map((value) => value / (count - 1)),
      shapes: [shape],
    });
    await checkGradient({
      op: (x) => variance(x, axes, { unbiased: false, keepdims: true }),
      reference: (x) => deviation(x!).map((value) => value / count),
      shapes: [shape],
    });
  });
});

describe("max and min", () => {
  it.each(SHAPES)("of %o over %o", async (shape, axes) => {
    const over = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
    await checkGradient({
      op: (x) => max(x, axes),
      reference: (x) => fold(x, shape, over, Math.max, Number.NEGATIVE_INFINITY),
      shapes: [shape],
    });
    await checkGradient({
      op: (x) => min(x, axes, { keepdims: true }),
      reference: (x) => fold(x, shape, over, Math.min, Number.POSITIVE_INFINITY),
      shapes: [shape],
    });
  });

  it("share the gradient among equals", async () => {
    const x = tensor(
      [
        [3, 1, 3],
        [0, 0, 0],
        [1, 2, -1],
      ],
      undefined,
      { requiresGrad: true },
    );
    backward(max(x, 1), tensor([1, 3, 5]));
    expect([...(await x.grad!.data())]).toEqual([0.5, 0, 0.5, 1, 1, 1, 0, 5, 0]);
  });

  it("pass on NaN and infinities", async () => {
    const { NaN: nan, NEGATIVE_INFINITY: low } = Number;
    const x = tensor([
      [1, nan, 2],
      [low, low, low],
      [nan, -1, -2],
      [2, 1, nan],
    ]);
    expect([...(await max(x, 1).data())]).toEqual([nan, low, nan, nan]);
    expect([...(await min(x, 1).data())]).toEqual([nan, low, nan, nan]);
  });
});

describe("argmax", () => {
  it("is the first of the largest, along an axis or of all", async () => {
    const x = tensor([
      [1, 7, 7],
      [9, -1, 0],
    ]);
    const along = argmax(x, 1);
    expect([along.dtype, along.shape, ...(await along.data())]).toEqual(["i32", [2], 1, 0]);
    expect([...(await argmax(x, 0, { keepdims: true }).data())]).toEqual([1, 0, 0]);
    expect(await argmax(x).item()).toBe(3);
    expect(await argmin(x).item()).toBe(4);
  });

  it("of many", async () => {
    const values = randomValues(300_007);
    values[200_003] = 2;
    values[200_005] = 2;
    expect(await argmax(tensor(values)).item()).toBe(200_003);
  });
});

it("sumTo undoes broadcasting", async () => {
  const shape = [4, 3, 5];
  const values = randomValues(60);
  const dy = tensor(values, shape);
  expect(sumTo(dy, shape)).toBe(dy);
  for (const [to, axes] of [
    [[5], [0, 1]],
    [
      [3, 1],
      [0, 2],
    ],
    [
      [1, 1, 1],
      [0, 1, 2],
    ],
    [[], [0, 1, 2]],
    [[4, 1, 5], [1]],
  ] as const) {
    const found = sumTo(dy, to);
    expect(found.shape).toEqual(to);
    expect(relativeError(await found.data(), fold(values, shape, axes, plus, 0))).toBeLessThan(1e-6);
  }
});

it("says what is wrong", () => {
  const x = tensor(randomValues(24), [2, 3, 4]);
  expect(complaint(() => sum(x, 3))).toMatchInlineSnapshot(
    `"ShapeError: sum: there is no axis 3: x has axes 0 to 2, or -3 to -1. x is [2,3,4]."`,
  );
  expect(complaint(() => mean(x, [0, -3]))).toMatchInlineSnapshot(
    `"ShapeError: mean: axis 0 is given twice, in [0,-3]. x is [2,3,4]."`,
  );
  expect(complaint(() => max(tensor([], [2, 0]), 1))).toMatchInlineSnapshot(
    `"ShapeError: max: nothing to choose from along axes [1]. x is [2,0]."`,
  );
  expect(complaint(() => argmax(tensor([], [2, 0]), 1))).toMatchInlineSnapshot(
    `"ShapeError: argmax: nothing to choose from along axis 1. x is [2,0]."`,
  );
  expect(complaint(() => sum(tensor(1), 0))).toMatchInlineSnapshot(
    `"ShapeError: sum: there is no axis 0: x has no axes. x is []."`,
  );
});
