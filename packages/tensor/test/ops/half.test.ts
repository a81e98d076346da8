import { beforeAll, describe, expect, it } from "vitest";
import {
  avgPool2d,
  backward,
  batchNorm,
  crossEntropy,
  defaultDevice,
  init,
  logSoftmax,
  max,
  maxPool2d,
  mean,
  ones,
  softmax,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { relativeError } from "../compare.ts";
import { randomValues } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

const labels = () => tensor(Int32Array.of(1, 0, 5, 3, 3, 7));

/** Ops that compute across elements: their sums must be float32 whatever the tensors hold. */
const OPS: Record<string, (x: Tensor) => Tensor> = {
  "sum over neighbours and others": (x) => sum(x, [0, 2]),
  "mean of all": (x) => mean(x),
  max: (x) => max(x, [1, 2]),
  softmax: (x) => softmax(x),
  "logSoftmax along the middle": (x) => logSoftmax(x, 1),
  batchNorm: (x) => batchNorm(x, ones([8]), zeros([8]), { training: true }),
  maxPool2d: (x) => maxPool2d(x, { kernel: 3, stride: 2, padding: 1 }),
  avgPool2d: (x) => avgPool2d(x, { kernel: 2, padding: 1, countIncludePad: false }),
  crossEntropy: (x) => crossEntropy(mean(x, [1, 2]), labels()),
};

describe("in f16, as in f32", () => {
  it.for(Object.entries(OPS))("%s", async ([, op], { skip }) => {
    skip(!defaultDevice().adapter.features.has("shader-f16"), "no shader-f16");
    // Steps of 1/16, so that the two compare the same numbers and the same are largest.
    const values = randomValues(6 * 5 * 7 * 8).map((value, i) => Math.round(16 * value) / 16 + (i % 5));
    const run = async (dtype: "f16" | "f32") => {
      const x = tensor(values, [6, 5, 7, 8], { dtype, requiresGrad: true });
      const y = op(x);
      const dy = tensor(randomValues(y.size, 3), y.shape, { dtype: y.dtype });
      backward(y, dy);
      expect(x.grad!.dtype).toBe(dtype);
      return [await y.data(), await x.grad!.data()] as const;
    };
    const [half, full] = [await run("f16"), await run("f32")];
    expect(relativeError(half[0], full[0])).toBeLessThan(2e-3);
    expect(relativeError(half[1], full[1])).toBeLessThan(4e-3);
  });
});
