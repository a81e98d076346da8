import {
  batchNormGradReference,
  momentsReference,
  normalizeReference,
} from "@shadegrad/kernels-wgsl/batchNorm";
import { beforeAll, describe, expect, it } from "vitest";
import { backward, batchMoments, batchNorm, init, ones, tensor, zeros } from "../../src/index.ts";
import { relativeError } from "../compare.ts";
import { complaint } from "../complaint.ts";
import { checkGradient, randomValues } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

const SHAPES = [
  [1, 5, 7, 3],
  [3, 5, 7, 4],
  [2, 13],
  [7, 1, 1, 11],
  [2, 3, 17, 8],
];

const channels = (shape: number[]) => shape.at(-1)!;

describe("in training", () => {
  it.each(SHAPES.map((shape) => [shape]))("has the right gradients for %o", async (shape) => {
    const C = channels(shape);
    const eps = 0.01;
    await checkGradient({
      op: (x, gamma, beta) => batchNorm(x, gamma, beta, { training: true, eps }),
      reference: (x, gamma, beta) =>
        normalizeReference({
          x: x!,
          ...momentsReference(x!, x!.length / C, C),
          gamma: gamma!,
          beta: beta!,
          eps,
        }),
      shapes: [shape, [C], [C]],
      tolerance: shape.length === 2 ? 1e-4 : 1e-5, // of two values, what one gives the other takes
    });
  });

  it("moves the running statistics, the variance with Bessel's correction", async () => {
    const x = tensor([
      [1, 10],
      [3, 30],
      [5, 20],
    ]);
    const [runningMean, runningVar] = [zeros([2]), ones([2])];
    batchNorm(x, ones([2]), zeros([2]), { runningMean, runningVar, training: true, momentum: 0.25 });
    expect([...(await runningMean.data())]).toEqual([0.75, 5]);
    expect([...(await runningVar.data())]).toEqual([0.75 + 0.25 * 4, 0.75 + 0.25 * 100]);
  });

  it("keeps a small deviation beside a large mean", async () => {
    const [rows, C] = [3001, 5];
    const values = randomValues(rows * C).map((value) => 1000 + 0.1 * value);
    const { mean, variance } = momentsReference(values, rows, C);
    const found = batchMoments(tensor(values, [rows, C]));
    expect(relativeError(await found.mean.data(), mean)).toBeLessThan(1e-7);
    expect(relativeError(await found.variance.data(), variance)).toBeLessThan(1e-5);
  });

  it("gives only what is asked for", async () => {
    const x = tensor(randomValues(24), [6, 4], { requiresGrad: true });
    const gamma = ones([4]);
    const beta = zeros([4], { requiresGrad: true });
    const dy = randomValues(24, 7);
    backward(batchNorm(x, gamma, beta, { training: true }), tensor(dy, [6, 4]));
    const { mean, variance } = momentsReference(randomValues(24), 6, 4);
    const given = { x: randomValues(24), mean, variance, gamma: [1, 1, 1, 1], beta: [0, 0, 0, 0], eps: 1e-5 };
    const expected = batchNormGradReference(given, dy);
    expect(relativeError(await x.grad!.data(), expected.dx)).toBeLessThan(1e-5);
    expect(relativeError(await beta.grad!.data(), expected.dbeta)).toBeLessThan(1e-5);
    expect(gamma.grad).toBeUndefined();
  });
});

it("takes images without channels, in training too", async () => {
  const y = batchNorm(zeros([2, 3, 3, 0]), zeros([0]), zeros([0]), { training: true });
  expect(y.shape).toEqual([2, 3, 3, 0]);
  expect([...(await y.data())]).toEqual([]);
  // One pixel has no variance, but there is no channel that would need one.
  expect(batchNorm(zeros([1, 0]), zeros([0]), zeros([0]), { training: true }).shape).toEqual([1, 0]);
});

describe("in evaluation", () => {
  it.each(SHAPES.map((shape) => [shape]))("has the right gradients for %o", async (shape) => {
    const C = channels(shape);
    const mean = randomValues(C, 8);
    const variance = randomValues(C, 9).map((value) => value + 1.25);
    const [runningMean, runningVar] = [tensor(mean), tensor(variance)];
    await checkGradient({
      op: (x, gamma, beta) => batchNorm(x, gamma, beta, { runningMean, runningVar }),
      reference: (x, gamma, beta) =>
        normalizeReference({ x: x!, mean, variance, gamma: gamma!, beta: beta!, eps: 1e-5 }),
      shapes: [shape, [C], [C]],
    });
  });

  it("takes an empty batch", async () => {
    const x = tensor([], [0, 3, 3, 2], { requiresGrad: true });
    const gamma = ones([2], { requiresGrad: true });
    const y = batchNorm(x, gamma, zeros([2]), { runningMean: zeros([2]), runningVar: ones([2]) });
    backward(y, tensor([], [0, 3, 3, 2]));
    expect(y.shape).toEqual([0, 3, 3, 2]);
    expect([...(await gamma.grad!.data())]).toEqual([0, 0]);
  });
});

it("says what is wrong", () => {
  const x = zeros([2, 4, 4, 3]);
  const [three, four] = [ones([3]), ones([4])];
  expect(complaint(() => batchNorm(x, four, three, { training: true }))).toMatchInlineSnapshot(
    `"ShapeError: batchNorm: x has 3 channels but gamma has 4. x is [2,4,4,3] as [..., C]; gamma is [4]; beta is [3], as [C]."`,
  );
  expect(complaint(() => batchNorm(x, three, three))).toMatchInlineSnapshot(
    `"ShapeError: batchNorm: evaluation needs runningMean and runningVar. x is [2,4,4,3] as [..., C]; gamma is [3]; beta is [3], as [C]."`,
  );
  expect(complaint(() => batchNorm(x, three, three, { runningMean: three }))).toMatchInlineSnapshot(
    `"ShapeError: batchNorm: runningMean is given without the other running statistic. x is [2,4,4,3] as [..., C]; gamma is [3]; beta is [3]; runningMean is [3], as [C]."`,
  );
  expect(complaint(() => batchNorm(zeros([1, 3]), three, three, { training: true }))).toMatchInlineSnapshot(
    `"ShapeError: batchNorm: training needs more than 1 value per channel, not 1: their variance would be undefined. x is [1,3] as [..., C]; gamma is [3]; beta is [3], as [C]."`,
  );
  expect(complaint(() => batchNorm(three, three, three, { training: true }))).toMatchInlineSnapshot(
    `"ShapeError: batchNorm: x needs 2 axes or more, not 1. x is [3] as [..., C]; gamma is [3]; beta is [3], as [C]."`,
  );
});
