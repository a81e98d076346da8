import { softmaxReference } from "@shadegrad/kernels-wgsl/softmax";
import { beforeAll, expect, it } from "vitest";
import { backward, init, logSoftmax, softmax, type Tensor, tensor, zeros } from "../../src/index.ts";
import { checkGradient, randomValues } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

it.each([
  [[3, 5, 7], 1],
  [[1, 13], -1],
  [[2, 67], 1],
  [[11, 2, 3], 0],
  [[5], 0],
] as [number[], number][])("softmax and its logarithm of %o along axis %i", async (shape, axis) => {
  const at = axis < 0 ? axis + shape.length : axis;
  const product = (sides: number[]) => sides.reduce((a, b) => a * b, 1);
  const p = { outer: product(shape.slice(0, at)), size: shape[at]!, inner: product(shape.slice(at + 1)) };
  const values = [randomValues(product(shape)).map((value) => 3 * value)];
  const [shapes, tolerance] = [[shape], 1e-5];
  await checkGradient({
    op: (x) => softmax(x, axis),
    reference: (x) => softmaxReference(x!, p),
    shapes,
    values,
    tolerance,
  });
  await checkGradient({
    op: (x) => logSoftmax(x, axis),
    reference: (x) => softmaxReference(x!, p, true),
    shapes,
    values,
    tolerance,
  });
});

it("neither overflows nor loses what is small", async () => {
  const x = tensor([1000, 999, -1000]);
  const e = 1 / (1 + Math.exp(-1));
  expect((await softmax(x).data())[0]).toBeCloseTo(e, 6);
  const found = await logSoftmax(x).data();
  expect(found[2]).toBeCloseTo(-2000 + Math.log(e), 3);
});

it("takes empty tensors", async () => {
  for (const shape of [
    [0, 3],
    [2, 0],
  ]) {
    const x = zeros(shape, { requiresGrad: true });
    const y = softmax(x);
    backward(y, zeros(shape));
    expect([y.shape, x.grad!.shape]).toEqual([shape, shape]);
  }
});

it("says what is wrong", () => {
  const message = (f: () => Tensor) => {
    try {
      return String(f());
    } catch (error) {
      return String(error);
    }
  };
  expect(message(() => softmax(zeros([2, 3]), 2))).toMatchInlineSnapshot(
    `"ShapeError: softmax: there is no axis 2: x has axes 0 to 1, or -2 to -1. x is [2,3]."`,
  );
});
