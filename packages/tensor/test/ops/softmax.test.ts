import { softmaxReference } from "@shadegrad/kernels-wgsl/softmax";
import { beforeAll, expect, it } from "vitest";
import { backward, init, logSoftmax, scope, softmax, tensor, zeros } from "../../src/index.ts";
import { relativeError } from "../compare.ts";
import { complaint } from "../complaint.ts";
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

it.each([
  [[1, 2 ** 18], 1],
  [[2 ** 18, 2], 0],
])("of %j along axis %i, long, are exact to 2e-6, and their gradient to 5e-6", async (shape, axis) => {
  const size = shape[axis]!;
  const inner = shape[1]! / (axis === 1 ? size : 1);
  const values = Float32Array.from({ length: size * inner }, (_, i) => 1 + (i % 11) / 50);
  const dy = Float32Array.from(values, (_, i) => 1 + (i % 7) / 10);
  const p = { outer: 1, size, inner };
  for (const [name, op] of Object.entries({ softmax, logSoftmax })) {
    const isLog = name === "logSoftmax";
    const x = tensor(values, shape, { requiresGrad: true });
    const y = scope(() => {
      const y = op(x, axis);
      backward(y, tensor(dy, shape));
      return y;
    });
    const exact = softmaxReference(values, p, isLog);
    expect(relativeError(await y.data(), exact)).toBeLessThan(2e-6);
    // Σ of each column: of dy, weighted by y but for the logarithm
    const totals = Array.from({ length: inner }, () => 0);
    for (const [i, slope] of dy.entries()) totals[i % inner]! += slope * (isLog ? 1 : exact[i]!);
    const slopes = Float64Array.from(exact, (y, i) => {
      const total = totals[i % inner]!;
      return isLog ? dy[i]! - Math.exp(y) * total : y * (dy[i]! - total);
    });
    // dy less its mean: four times the error of e^y, whose y of 12.5 is rounded to 5e-7.
    expect(relativeError(await x.grad!.data(), slopes), `gradient of ${name}`).toBeLessThan(5e-6);
  }
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
  expect(complaint(() => softmax(zeros([2, 3]), 2))).toMatchInlineSnapshot(
    `"ShapeError: softmax: there is no axis 2: x has axes 0 to 1, or -2 to -1. x is [2,3]."`,
  );
});
