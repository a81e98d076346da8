import {
  conv2dInputGrad,
  conv2d as conv2dKernel,
  conv2dWeightGrad,
  sumPartials,
  weightGradSplits,
} from "@shadegrad/kernels-wgsl/conv2d";
import { conv2d } from "@shadegrad/tensor";
import { costOf, kernelRow, opRow } from "../row.mjs";

/** @typedef {[channels: number, outputs: number, window: number, stride: number, side: number]} Shape */

/** The convolutions of a ResNet-50 at 224², each once; those of a ResNet-18 among them. @type {Shape[]} */
const RESNET = [
  [64, 64, 3, 1, 56],
  [128, 128, 3, 1, 28],
  [256, 256, 3, 1, 14],
  [512, 512, 3, 1, 7],
  [3, 64, 7, 2, 224],
  ...[64, 128, 256, 512].flatMap((width, stage) => {
    const side = 56 >> stage;
    const [inputs, outputs] = [stage === 0 ? 64 : 2 * width, 4 * width];
    const stride = stage === 0 ? 1 : 2;
    /** @type {Shape[]} */
    const shapes = [
      [inputs, width, 1, 1, side * stride],
      [width, outputs, 1, 1, side],
      [outputs, width, 1, 1, side],
    ];
    if (stage > 0) {
      shapes.push(
        [width, width, 3, 2, 2 * side],
        [inputs, outputs, 1, 2, 2 * side],
        [width / 2, width, 3, 2, 2 * side],
      );
    }
    return shapes;
  }),
];

/** Shapes of a ResNet-20 on 32² images. @type {Shape[]} */
const RESNET_20 = [
  [3, 16, 3, 1, 32],
  [16, 16, 3, 1, 32],
  [16, 32, 3, 2, 32],
  [32, 32, 3, 1, 16],
  [32, 64, 3, 2, 16],
  [64, 64, 3, 1, 8],
];

/** Each in three directions; the forward pass through the eager op. @returns {import("../row.mjs").Row[]} */
export const convolutions = () => [
  ...RESNET.flatMap((shape) => directions(1, shape)),
  ...RESNET_20.flatMap((shape) => directions(32, shape)),
];

/**
 * @param {number} N
 * @param {Shape} shape
 */
function directions(N, [C, O, R, stride, H]) {
  const padding = R >> 1;
  const P = Math.floor((H + 2 * padding - R) / stride) + 1;
  const p = {
    ...{ N, H, W: H, C, R, S: R, O, P, Q: P, strideRows: stride, strideCols: stride },
    ...{ padTop: padding, padLeft: padding, dilationRows: 1, dilationCols: 1, groups: 1 },
  };
  const splits = weightGradSplits(p, { software: true });
  const weights = R * R * C * O;
  const lengths = { x: N * H * H * C, w: weights, dy: N * P * P * O };
  const name = `${R}×${R}${stride === 1 ? "" : ` / ${stride}`} ${C}→${O} ${H}² ×${N}`;
  return [
    opRow(
      `conv2d ${name}`,
      costOf(conv2dKernel, p),
      [
        [N, H, H, C],
        [R, R, C, O],
      ],
      (x, w) => conv2d(x, w, { stride, padding }),
    ),
    kernelRow(`conv2d dx ${name}`, [{ kernel: conv2dInputGrad, params: p, buffers: ["dy", "w", "dx"] }], {
      dy: lengths.dy,
      w: lengths.w,
      dx: lengths.x,
    }),
    kernelRow(
      `conv2d dw ${name}`,
      [
        { kernel: conv2dWeightGrad, params: { ...p, splits }, buffers: ["x", "dy", "partial"] },
        ...(splits === 1
          ? []
          : [{ kernel: sumPartials, params: { length: weights, splits }, buffers: ["partial", "dw"] }]),
      ],
      { x: lengths.x, dy: lengths.dy, partial: splits * weights, dw: weights },
    ),
  ];
}
