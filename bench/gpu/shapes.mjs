/** @typedef {import("@shadegrad/kernels-wgsl/conv2d").Conv2dParams} Conv2dParams */

/** Convolutions of a ResNet-50 at 224²: channels, outputs, window, stride, side, and how often. @type {number[][]} */
const RESNET_50 = [
  [512, 512, 3, 1, 7, 2],
  [256, 256, 3, 1, 14, 5],
  [128, 128, 3, 1, 28, 3],
  [64, 64, 3, 1, 56, 3],
  [1024, 256, 1, 1, 14, 5],
  [256, 1024, 1, 1, 14, 6],
  [512, 128, 1, 1, 28, 3],
  [128, 512, 1, 1, 28, 4],
  [256, 64, 1, 1, 56, 2],
  [64, 256, 1, 1, 56, 4],
  [512, 2048, 1, 1, 7, 3],
  [2048, 512, 1, 1, 7, 2],
  [128, 128, 3, 2, 56, 1],
  [256, 256, 3, 2, 28, 1],
  [512, 512, 3, 2, 14, 1],
  [3, 64, 7, 2, 224, 1],
  [64, 64, 1, 1, 56, 1],
  [256, 128, 1, 1, 56, 1],
  [512, 256, 1, 1, 28, 1],
  [1024, 512, 1, 1, 14, 1],
  [256, 512, 1, 2, 56, 1],
  [512, 1024, 1, 2, 28, 1],
  [1024, 2048, 1, 2, 14, 1],
];

/** Shapes of a ResNet-20 at 32². @type {number[][]} */
const RESNET_20 = [
  [16, 16, 3, 1, 32, 6],
  [32, 32, 3, 1, 16, 5],
  [64, 64, 3, 1, 8, 5],
  [16, 32, 3, 2, 32, 1],
  [32, 64, 3, 2, 16, 1],
  [3, 16, 3, 1, 32, 1],
];

/** @typedef {{ name: string, count: number, p: Conv2dParams }} Convolution */

/** @param {"resnet50" | "resnet20"} net @param {number} N @returns {Convolution[]} */
export const convolutionsOf = (net, N) =>
  (net === "resnet50" ? RESNET_50 : RESNET_20).map(([C = 0, O = 0, R = 0, stride = 1, H = 0, count = 1]) => {
    const pad = R >> 1;
    const P = Math.floor((H + 2 * pad - R) / stride) + 1;
    return {
      name: `${R}×${R}${stride === 1 ? "" : `/${stride}`} ${C}→${O} ${H}² ×${N}`,
      count,
      p: {
        ...{ N, H, W: H, C, R, S: R, O, P, Q: P, strideRows: stride, strideCols: stride },
        ...{ padTop: pad, padLeft: pad, dilationRows: 1, dilationCols: 1, groups: 1 },
      },
    };
  });

/** @param {number} M @param {number} N @param {number} K @returns {import("@shadegrad/kernels-wgsl/matmul").MatmulParams} */
export const product = (M, N, K, aT = false, bT = false) => ({
  ...{ batch: [1, 1, 1, 1], aBatch: [0, 0, 0, 0], bBatch: [0, 0, 0, 0], M, N, K },
  ...{ aRow: aT ? 1 : K, aCol: aT ? M : 1, bRow: bT ? 1 : N, bCol: bT ? K : 1 },
});
