import { crossEntropyReference } from "@shadegrad/kernels-wgsl/crossEntropy";
import { beforeAll, describe, expect, it } from "vitest";
import {
  backward,
  crossEntropy,
  init,
  mseLoss,
  reshape,
  scope,
  softmax,
  sum,
  tensor,
  zeros,
} from "../../src/index.ts";
import { complaint } from "../complaint.ts";
import { checkGradient, randomValues } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

const plus = (a: number, b: number) => a + b;

describe("crossEntropy", () => {
  it.each([
    [1, 7],
    [13, 10],
    [3, 131],
    [67, 2],
  ])("of %i rows of %i classes", async (N, C) => {
    const labels = Int32Array.from({ length: N }, (_, n) => (7 * n + 1) % C);
    for (const labelSmoothing of [0, 0.1]) {
      const losses = (x: Float64Array) =>
        crossEntropyReference(x, labels, { N, C, smoothing: labelSmoothing, scale: 1, ignored: 0 }).loss;
      for (const [reduction, reference] of [
        ["mean", (x: Float64Array) => [losses(x).reduce(plus) / N]],
        ["sum", (x: Float64Array) => [losses(x).reduce(plus)]],
        ["none", losses],
      ] as const) {
        await checkGradient({
          op: (x) => crossEntropy(x, tensor(labels), { labelSmoothing, reduction }),
          reference: (x) => reference(x!),
          shapes: [[N, C]],
        });
      }
    }
  });

  // PyTorch's: the mean is divided by the weights of the labels that count.
  it.each([
    { weighted: true, ignoreIndex: undefined },
    { weighted: false, ignoreIndex: 4 },
    { weighted: true, ignoreIndex: -100 },
  ])("with class weights, a label that is ignored: %j", async ({ weighted, ignoreIndex }) => {
    const [N, C] = [13, 10];
    const labels = Int32Array.from({ length: N }, (_, n) =>
      n % 5 === 3 ? (ignoreIndex ?? 1) : (7 * n + 1) % C,
    );
    const given = weighted ? Float32Array.from({ length: C }, (_, c) => 0.25 + c / 4) : undefined;
    const weights = given && tensor(given);
    for (const labelSmoothing of [0, 0.1]) {
      const params = { N, C, smoothing: labelSmoothing, scale: 1, ignored: (ignoreIndex ?? 0) >>> 0 };
      const rows = (x: Float64Array) =>
        crossEntropyReference(x, new Uint32Array(labels), params, given, ignoreIndex !== undefined);
      const total = rows(new Float64Array(N * C)).rowWeights.reduce(plus);
      for (const [reduction, reference] of [
        ["mean", (x: Float64Array) => [rows(x).loss.reduce(plus) / total]],
        ["sum", (x: Float64Array) => [rows(x).loss.reduce(plus)]],
        ["none", (x: Float64Array) => rows(x).loss],
      ] as const) {
        await checkGradient({
          op: (x) => crossEntropy(x, tensor(labels), { labelSmoothing, reduction, ignoreIndex, weights }),
          reference: (x) => reference(x!),
          shapes: [[N, C]],
        });
      }
    }
  });

  it("has PyTorch's value for weights, smoothing and a label that is ignored", async () => {
    const logits = tensor([1, 2, 0.5, -1, 0, 3, 0.25, 0.5, 0.75], [3, 3], { requiresGrad: true });
    const labels = tensor(Int32Array.of(0, -100, 2));
    const options = { ignoreIndex: -100, weights: tensor([1, 2, 4]), labelSmoothing: 0.3 };
    const loss = crossEntropy(logits, labels, options);
    backward(loss);
    const logs = (row: number[]) =>
      row.map((x) => x - Math.log(row.reduce((sum, y) => sum + Math.exp(y), 0)));
    const rows = [logs([1, 2, 0.5]), logs([0.25, 0.5, 0.75])];
    const picked = -(rows[0]![0]! + 4 * rows[1]![2]!) / 5;
    const smooth = -rows.reduce((sum, row) => sum + row[0]! + 2 * row[1]! + 4 * row[2]!, 0) / 5;
    expect(await loss.item()).toBeCloseTo(0.7 * picked + (0.3 / 3) * smooth, 5);
    expect([...(await logits.grad!.data())].slice(3, 6)).toEqual([0, 0, 0]);
  });

  it("of rows that are all ignored is NaN on average, as in PyTorch", async () => {
    const labels = tensor(Int32Array.of(1, 1));
    expect(await crossEntropy(zeros([2, 3]), labels, { ignoreIndex: 1 }).item()).toBeNaN();
    expect(await crossEntropy(zeros([2, 3]), labels, { ignoreIndex: 1, reduction: "sum" }).item()).toBe(0);
  });

  it("is exact to 1e-6 over a row of a million", async () => {
    const x = Float32Array.from({ length: 2 ** 20 }, (_, i) => 1 + (i % 11) / 50);
    const exact = Math.log(x.reduce((sum, value) => sum + Math.exp(value), 0)) - x[5]!;
    const logits = tensor(x, [1, x.length]);
    expect((await crossEntropy(logits, tensor(Int32Array.of(5))).item()) / exact).toBeCloseTo(1, 6);
    const rows = await scope(() => sum(softmax(logits))).item();
    expect(Math.abs(rows - 1)).toBeLessThan(1e-6);
    const columns = await scope(() => sum(softmax(reshape(logits, [x.length, 1]), 0))).item();
    expect(Math.abs(columns - 1)).toBeLessThan(1e-6);
  });

  it("takes any number of axes before the classes", async () => {
    const labels = tensor(Uint32Array.of(0, 1, 1, 0, 0, 1), [3, 2]);
    const losses = crossEntropy(zeros([3, 2, 4]), labels, { reduction: "none" });
    expect(losses.shape).toEqual([3, 2]);
    for (const loss of await losses.data()) expect(loss).toBeCloseTo(Math.log(4), 6);
  });

  it("is stable for large logits", async () => {
    const logits = tensor([[1000, 1001, -1000]]);
    expect(await crossEntropy(logits, tensor(Int32Array.of(1))).item()).toBeCloseTo(
      Math.log1p(Math.exp(-1)),
      6,
    );
  });

  it("takes logits of -∞, for classes that are ruled out", async () => {
    const logits = tensor([[1, Number.NEGATIVE_INFINITY, 2]], undefined, { requiresGrad: true });
    const loss = crossEntropy(logits, tensor(Int32Array.of(0)));
    backward(loss);
    expect(await loss.item()).toBeCloseTo(Math.log1p(Math.E), 5);
    expect((await logits.grad!.data())[1]).toBe(0);
  });

  it("shows a label that is no class as NaN", async () => {
    for (const label of [-1, 3]) {
      const logits = tensor([1, 2, 3], [1, 3], { requiresGrad: true });
      const loss = crossEntropy(logits, tensor(Int32Array.of(label)));
      backward(loss);
      expect(await loss.item()).toBeNaN();
      expect([...(await logits.grad!.data())]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    }
  });

  it("of no rows is NaN on average and 0 in sum", async () => {
    const labels = tensor(new Int32Array(0), [0]);
    expect(await crossEntropy(zeros([0, 5]), labels).item()).toBeNaN();
    expect(await crossEntropy(zeros([0, 5]), labels, { reduction: "sum" }).item()).toBe(0);
  });
});

it("mseLoss", async () => {
  await checkGradient({
    op: (x, y) => mseLoss(x, y),
    reference: (x, y) => [x!.map((value, i) => (value - y![i]!) ** 2).reduce(plus) / x!.length],
    shapes: [
      [3, 5],
      [3, 5],
    ],
  });
});

it("many rows, more than a dispatch has workgroups along an axis", async () => {
  const rows = 4_200_000; // of 64 a workgroup
  const logits = tensor(randomValues(rows), [rows, 1]);
  const labels = tensor(new Int32Array(rows));
  const loss = crossEntropy(logits, labels, { reduction: "sum" });
  expect(await loss.item()).toBe(0);
  for (const each of [logits, labels, loss]) each.dispose();
});

it("says what is wrong", () => {
  const logits = zeros([4, 10]);
  const labels = tensor(new Int32Array(4));
  expect(complaint(() => crossEntropy(logits, zeros([4])))).toMatchInlineSnapshot(
    `"ShapeError: crossEntropy: labels are f32, but classes have to be i32 or u32, such as Int32Array.of(3, 1). logits is [4,10] as [..., C]; labels is [4] as [...]."`,
  );
  expect(complaint(() => crossEntropy(logits, tensor(new Int32Array(5))))).toMatchInlineSnapshot(
    `"ShapeError: crossEntropy: logits are for [4] rows but labels are for [5]. logits is [4,10] as [..., C]; labels is [5] as [...]."`,
  );
  expect(complaint(() => crossEntropy(logits, zeros([4, 10])))).toMatchInlineSnapshot(
    `"ShapeError: crossEntropy: logits are for [4] rows but labels are for [4,10]. logits is [4,10] as [..., C]; labels is [4,10] as [...]."`,
  );
  expect(complaint(() => crossEntropy(logits, labels, { labelSmoothing: 1.5 }))).toMatchInlineSnapshot(
    `"ShapeError: crossEntropy: labelSmoothing is 1.5, not from 0 to 1. logits is [4,10] as [..., C]; labels is [4] as [...]."`,
  );
});
