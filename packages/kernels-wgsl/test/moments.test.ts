import { expect, it } from "vitest";
import { depthFor } from "../src/batchNorm/index.ts";
import { type Conv2dParams, chunkOf, conv2d } from "../src/conv2d/index.ts";
import { choose } from "../src/launch/choose.ts";
import type { Adapter } from "../src/launch/kernel.ts";

const gpu: Adapter = {
  ...{ key: "a GPU", software: false, features: new Set<string>(), subgroupSize: [32, 32] },
  ...{ workgroupMemory: 49_152, workgroupThreads: 1024 },
};

const convolution = (N: number, side: number, C: number, R: number, O: number, stride = 1): Conv2dParams => ({
  ...{ N, H: side * stride, W: side * stride, C, R, S: R, O, P: side, Q: side },
  ...{ strideRows: stride, strideCols: stride, padTop: (R - 1) / 2, padLeft: (R - 1) / 2 },
  ...{ dilationRows: 1, dilationCols: 1, groups: 1 },
});

/** Each convolution of a ResNet-50 for images of 224² before a batch norm: its result's side first. */
function resnet50(N: number): Conv2dParams[] {
  const all = [convolution(N, 112, 3, 7, 64, 2)];
  let C = 64;
  for (const [i, blocks] of [3, 4, 6, 3].entries()) {
    const [width, side] = [64 << i, 56 >> i];
    for (let block = 0; block < blocks; block++) {
      const stride = i > 0 && block === 0 ? 2 : 1;
      all.push(convolution(N, side * stride, C, 1, width));
      all.push(convolution(N, side, width, 3, width, stride));
      all.push(convolution(N, side, width, 1, 4 * width));
      if (block === 0) all.push(convolution(N, side, C, 1, 4 * width, stride));
      C = 4 * width;
    }
  }
  return all;
}

/** Rows of chunks and DEPTH of the norm of a convolution that leaves moments, else undefined. */
function fused(p: Conv2dParams, bytes = 4): { chunk: number; depth: number } | undefined {
  const chunk = chunkOf(choose(conv2d, p, gpu).name);
  const M = p.N * p.P * p.Q;
  const depth = chunk && depthFor({ M, C: p.O, chunk, splits: Math.ceil(M / chunk) }, bytes);
  return depth ? { chunk, depth } : undefined;
}

/** Each convolution of a ResNet-20 for images of 32² before a batch norm. */
function resnet20(N: number): Conv2dParams[] {
  const all = [convolution(N, 32, 3, 3, 16)];
  let C = 16;
  for (const [i, width] of [16, 32, 64].entries()) {
    for (let k = 0; k < 6; k++) {
      all.push(convolution(N, 32 >> i, C, 3, width, i > 0 && k === 0 ? 2 : 1));
      C = width;
    }
  }
  return all;
}

const isApart = (p: Conv2dParams) => !fused(p);
const said = ({ P, R, O }: Conv2dParams) => `${P}² ${R}×${R} ${O}`;

it("46 of the 53 norms of a ResNet-50 at 32 images have the moments of their convolutions", () => {
  const all = resnet50(32);
  expect(all).toHaveLength(53);
  expect(all.filter(isApart).map(said)).toEqual([
    "112² 7×7 64", // RGB
    ...Array.from({ length: 3 }, () => ["56² 1×1 64", "56² 3×3 64"]).flat(), // too many loads in a row
  ]);
});

it("12 of the 19 norms of a ResNet-20 at 128 images have the moments of their convolutions", () => {
  const all = resnet20(128);
  expect(all).toHaveLength(19);
  expect(all.filter(isApart).map(said)).toEqual([
    "32² 3×3 16", // RGB
    ...Array.from({ length: 6 }, () => "32² 3×3 16"), // too many loads in a row
  ]);
});

it.each([4, 2])("moments are no more bytes than the pass that they save and its launch: %i bytes", (e) => {
  for (const p of [1, 2, 8, 32, 64, 128, 256].flatMap((N) => [...resnet50(N), ...resnet20(N)])) {
    const found = fused(p, e);
    if (!found) continue;
    const M = p.N * p.P * p.Q;
    // A last workgroup whose rows are cut off counts as the part that it has.
    const read = ((8 + e) * Math.ceil(M / found.chunk) * M * p.O) / (64 * found.depth);
    expect(read).toBeLessThanOrEqual(e * M * p.O + 6e6);
  }
});
