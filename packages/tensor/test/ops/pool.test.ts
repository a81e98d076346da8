import { avgPoolReference, maxPoolReference, type PoolParams } from "@shadegrad/kernels-wgsl/pool";
import { beforeAll, describe, expect, it } from "vitest";
import {
  avgPool2d,
  backward,
  globalAvgPool2d,
  init,
  maxPool2d,
  ones,
  tensor,
  zeros,
} from "../../src/index.ts";
import { complaint } from "../complaint.ts";
import { checkGradient, randomValues } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

interface Window {
  kernel: [number, number];
  stride: [number, number];
  padding: [number, number];
  dilation?: [number, number];
}

function params(shape: number[], { kernel, stride, padding, dilation = [1, 1] }: Window): PoolParams {
  const [N, H, W, C] = shape as [number, number, number, number];
  const out = (side: number, axis: 0 | 1) =>
    Math.floor((side + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis]) + 1;
  return {
    ...{ N, H, W, C, R: kernel[0], S: kernel[1], P: out(H, 0), Q: out(W, 1) },
    ...{ strideRows: stride[0], strideCols: stride[1], padTop: padding[0], padLeft: padding[1] },
    ...{ dilationRows: dilation[0], dilationCols: dilation[1] },
  };
}

const CASES: [number[], Window][] = [
  [[1, 7, 5, 3], { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }],
  [[2, 11, 13, 4], { kernel: [3, 2], stride: [1, 3], padding: [0, 1] }],
  [[3, 5, 7, 1], { kernel: [2, 2], stride: [3, 3], padding: [0, 0] }],
  [[1, 1, 1, 8], { kernel: [1, 1], stride: [1, 1], padding: [0, 0] }],
];

/** A permutation, so that a small step does not change which element is the largest. */
const distinct = (length: number) => {
  const order = [...randomValues(length).entries()].sort(([, a], [, b]) => a - b);
  const values = new Float32Array(length);
  for (const [rank, [i]] of order.entries()) values[i] = rank / length;
  return values;
};
const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

describe("maxPool2d", () => {
  it.each([
    ...CASES,
    [
      [2, 9, 7, 5],
      { kernel: [3, 2], stride: [2, 1], padding: [1, 1], dilation: [2, 3] },
    ] as (typeof CASES)[0],
  ])("of %o by %o", async (shape, window) => {
    const p = params(shape, window);
    await checkGradient({
      op: (x) => maxPool2d(x, window),
      reference: (x) => maxPoolReference(x!, p).y,
      shapes: [shape],
      values: [distinct(size(shape))],
    });
  });

  it("is as large as its padding is small, and takes what it is given without a gradient", async () => {
    const x = tensor([-3, -1, -2, -4], [1, 2, 2, 1]);
    expect([...(await maxPool2d(x, { kernel: 2, padding: 1 }).data())]).toEqual([-3, -1, -2, -4]);
  });

  it("sends the gradient to the first of equals", async () => {
    const x = tensor([1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 3, 3, 1], { requiresGrad: true });
    backward(maxPool2d(x, { kernel: 2, stride: 1 }), tensor([1, 2, 3, 4], [1, 2, 2, 1]));
    expect([...(await x.grad!.data())]).toEqual([1, 2, 0, 3, 4, 0, 0, 0, 0]);
  });

  it("finds -∞ in a window that meets no pixel, whose gradient goes nowhere", async () => {
    const x = tensor([5], [1, 1, 1, 1], { requiresGrad: true });
    const y = maxPool2d(x, { kernel: 2, dilation: 3, padding: 2 });
    backward(y, tensor(new Float32Array(y.size).fill(1), y.shape));
    expect(new Set(await y.data())).toEqual(new Set([Number.NEGATIVE_INFINITY]));
    expect(await x.grad!.item()).toBe(0);
  });

  it("takes no images", async () => {
    const x = zeros([0, 4, 4, 3], { requiresGrad: true });
    const y = maxPool2d(x, { kernel: 2 });
    backward(y, zeros([0, 2, 2, 3]));
    expect([y.shape, x.grad!.shape]).toEqual([
      [0, 2, 2, 3],
      [0, 4, 4, 3],
    ]);
  });
});

describe("avgPool2d", () => {
  it.each(CASES)("of %o by %o", async (shape, window) => {
    const p = params(shape, window);
    for (const countIncludePad of [true, false]) {
      await checkGradient({
        op: (x) => avgPool2d(x, { ...window, countIncludePad }),
        reference: (x) => avgPoolReference(x!, p, countIncludePad),
        shapes: [shape],
      });
    }
  });
});

it("globalAvgPool2d is the mean of each image's channel", async () => {
  const x = tensor([1, 10, 3, 20, 5, 30, 7, 40], [2, 2, 1, 2]);
  const y = globalAvgPool2d(x);
  expect([y.shape, ...(await y.data())]).toEqual([[2, 2], 2, 15, 6, 35]);
});

it("makes more pixels than a dispatch has workgroups along an axis", async () => {
  const shape = [1, 4_200_000, 1, 1]; // of 64 a workgroup
  const x = tensor(
    Float32Array.from({ length: size(shape) }, (_, i) => i % 1000),
    shape,
  );
  const y = maxPool2d(x, { kernel: 1 });
  expect((await y.data()).every((value, i) => value === i % 1000)).toBe(true);
  for (const each of [x, y]) each.dispose();
});

it("takes a typed array for a pair, and for four sides", () => {
  const options = {
    kernel: Int32Array.of(2, 3),
    stride: Int32Array.of(1, 2),
    padding: Int32Array.of(0, 1, 0, 0),
  };
  expect(maxPool2d(ones([1, 4, 5, 1]), options as never).shape).toEqual([1, 4, 2, 1]);
});

it("says what is wrong", () => {
  const x = zeros([2, 4, 5, 3]);
  expect(complaint(() => maxPool2d(x, { kernel: [5, 3] }))).toMatchInlineSnapshot(
    `"ShapeError: maxPool2d: a 5×3 window does not fit in a 4×5 image. x is [2,4,5,3] as [N, H, W, C]."`,
  );
  expect(complaint(() => avgPool2d(x, { kernel: 2, padding: 2 }))).toMatchInlineSnapshot(
    `"ShapeError: avgPool2d: padding of [2,2,2,2] is more than half of a 2×2 window on some side. x is [2,4,5,3] as [N, H, W, C]."`,
  );
  expect(complaint(() => maxPool2d(x, { kernel: 2, stride: 0 }))).toMatchInlineSnapshot(
    `"ShapeError: maxPool2d: stride is [0,0], not whole numbers ≥ 1 for [rows, columns]. x is [2,4,5,3] as [N, H, W, C]."`,
  );
  expect(complaint(() => globalAvgPool2d(zeros([4, 3])))).toMatchInlineSnapshot(
    `"ShapeError: globalAvgPool2d: x needs 4 axes, not 2. x is [4,3]; images are [N, H, W, C]."`,
  );
});
