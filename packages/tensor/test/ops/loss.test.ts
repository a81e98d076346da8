import { crossEntropyReference } from "@shadegrad/kernels-wgsl/crossEntropy";
import { beforeAll, describe, expect, it } from "vitest";
import { backward, crossEntropy, init, mseLoss, type Tensor, tensor, zeros } from "../../src/index.ts";
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
        crossEntropyReference(x, labels, { N, C, smoothing: labelSmoothing, scale: 1 }).loss;
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
  const message = (f: () => Tensor) => {
    try {
      return String(f());
    } catch (error) {
      return String(error);
    }
  };
  const logits = zeros([4, 10]);
  const labels = tensor(new Int32Array(4));
  expect(message(() => crossEntropy(logits, zeros([4])))).toMatchInlineSnapshot(
    `"ShapeError: crossEntropy: labels are f32, but classes have to be i32 or u32, such as Int32Array.of(3, 1). logits is [4,10] as [..., C]; labels is [4] as [...]."`,
  );
  expect(message(() => crossEntropy(logits, tensor(new Int32Array(5))))).toMatchInlineSnapshot(
    `"ShapeError: crossEntropy: logits are for [4] rows but labels are for [5]. logits is [4,10] as [..., C]; labels is [5] as [...]."`,
  );
  expect(message(() => crossEntropy(logits, zeros([4, 10])))).toMatchInlineSnapshot(
    `"ShapeError: crossEntropy: logits are for [4] rows but labels are for [4,10]. logits is [4,10] as [..., C]; labels is [4,10] as [...]."`,
  );
  expect(message(() => crossEntropy(logits, labels, { labelSmoothing: 1.5 }))).toMatchInlineSnapshot(
    `"ShapeError: crossEntropy: labelSmoothing is 1.5, not from 0 to 1. logits is [4,10] as [..., C]; labels is [4] as [...]."`,
  );
});
