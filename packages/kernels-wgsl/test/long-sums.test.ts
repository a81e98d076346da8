import { expect, it } from "vitest";
import { type Conv2dParams, conv2d, conv2dInputGrad, weightGradSplits } from "../src/conv2d/index.ts";
import type { Adapter } from "../src/launch/kernel.ts";
import { type MatmulParams, matmul } from "../src/matmul/index.ts";
import { rasteriser } from "../src/rasteriser/index.ts";

const gpu: Adapter = {
  ...{ key: "a GPU", software: false, features: new Set<string>(), subgroupSize: [32, 32] },
  ...{ workgroupMemory: 49_152, workgroupThreads: 1024 },
};
const software: Adapter = { ...gpu, software: true, rasteriser };

const product = (M: number, K: number, N: number): MatmulParams => ({
  ...{ batch: [1, 1, 1, 1], aBatch: [0, 0, 0, 0], bBatch: [0, 0, 0, 0] },
  ...{ M, K, N, aRow: K, aCol: 1, bRow: N, bCol: 1 },
});

const convolution = (N: number, side: number, C: number, R: number, O: number): Conv2dParams => ({
  ...{ N, H: side, W: side, C, R, S: R, O, P: side, Q: side, strideRows: 1, strideCols: 1 },
  ...{ padTop: (R - 1) / 2, padLeft: (R - 1) / 2, dilationRows: 1, dilationCols: 1, groups: 1 },
});

it.each([
  [64, 1_000_000, 64, "32×64×32 split"],
  [512, 100_000, 512, "128×64×32 split"],
  [4096, 65_536, 4096, "128×64×32 split"],
  [1024, 16_384, 1024, "128×64×32"],
  [50_000, 65_536, 1024, "128×64×32"], // partial sums would be more than a device binds
])("a product of %i×%i by %i columns is %s on a GPU", (M, K, N, name) => {
  expect(matmul.prefer?.(product(M, K, N), gpu)).toBe(name);
});

it("convolutions over many channels have k split on a GPU", () => {
  const p = convolution(2, 16, 4096, 3, 4096);
  expect(conv2d.prefer?.(p, gpu)).toBe("32×64×32 split");
  expect(conv2dInputGrad.prefer?.(p, gpu)).toBe("32×64×32 split");
});

it.each([gpu, software])("a weight's gradient adds no more than 4,096 pixels in sequence: %#", (adapter) => {
  for (const p of [convolution(256, 56, 64, 3, 64), convolution(64, 32, 256, 3, 256)]) {
    expect(Math.ceil((p.N * p.P * p.Q) / weightGradSplits(p, adapter))).toBeLessThanOrEqual(4096);
  }
});

it.each([gpu, software])(
  "its partial sums are no more than a device binds, unless splits were too long: %#",
  (adapter) => {
    for (const p of [convolution(16, 64, 512, 3, 512), convolution(64, 64, 256, 5, 256)]) {
      const splits = weightGradSplits(p, adapter);
      expect(4 * splits * p.R * p.S * p.C * p.O).toBeLessThanOrEqual(2 ** 27);
    }
    const wide = convolution(64, 32, 2048, 3, 2048);
    expect((wide.N * wide.P * wide.Q) / weightGradSplits(wide, adapter)).toBe(2 ** 14);
  },
);
