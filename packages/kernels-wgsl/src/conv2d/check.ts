import { type Case, check, randomValues } from "../check.ts";
import {
  type Conv2dParams,
  conv2d,
  conv2dInputGrad,
  conv2dInputGradReference,
  conv2dReference,
  conv2dWeightGrad,
  conv2dWeightGradReference,
  sumPartials,
} from "./index.ts";
import { momentsCheck } from "./momentsCheck.ts";

interface Options {
  stride?: [number, number];
  /** top, bottom, left, right */
  pad?: [number, number, number, number];
  dilation?: [number, number];
  groups?: number;
}

type Image = [N: number, H: number, W: number, C: number];
type Window = [R: number, S: number, O: number];

/** A number that is none reaches the sums that it is a part of, and no others. */
const NAN_INSIDE = "NaN inside";

const shapes: [name: string, Image, Window, Options][] = [
  ["a pixel", [1, 1, 1, 17], [1, 1, 1], {}],
  ["a pixel, by fours", [1, 1, 1, 36], [1, 1, 4], {}],
  ["17 pixels of 17 channels", [1, 1, 17, 17], [1, 1, 1], {}],
  ["17 pixels into 17 channels", [1, 1, 17, 1], [1, 1, 17], {}],
  ["17 pixels of 36 channels", [1, 1, 17, 36], [1, 1, 4], {}],
  ["17 pixels into 36 channels", [1, 1, 17, 4], [1, 1, 36], {}],
  ["36 pixels", [1, 1, 36, 12], [1, 1, 4], {}],
  ["tiny", [1, 2, 3, 1], [2, 2, 1], {}],
  ["tiny, by fours", [1, 2, 2, 4], [1, 2, 4], {}],
  ["3×3 of primes", [2, 7, 11, 3], [3, 3, 5], { pad: [1, 1, 1, 1] }],
  ["3×3, 8 → 16", [2, 7, 9, 8], [3, 3, 16], { pad: [1, 1, 1, 1] }],
  ["3×3, 32 → 64", [1, 9, 7, 32], [3, 3, 64], { pad: [1, 1, 1, 1] }],
  ["3×3 of stride 2", [2, 11, 10, 8], [3, 3, 32], { stride: [2, 2], pad: [1, 1, 1, 1] }],
  ["3×3 of stride 2, odd channels", [2, 11, 10, 6], [3, 3, 7], { stride: [2, 2], pad: [1, 1, 1, 1] }],
  ["1×1 of stride 1", [2, 5, 7, 16], [1, 1, 36], {}],
  ["1×1, 36 → 8", [1, 9, 10, 36], [1, 1, 8], {}],
  ["1×1 of stride 2", [1, 9, 7, 64], [1, 1, 32], { stride: [2, 2] }],
  ["7×7 of stride 2 on RGB", [1, 19, 23, 3], [7, 7, 64], { stride: [2, 2], pad: [3, 3, 3, 3] }],
  ["strides and padding by side", [1, 8, 13, 4], [3, 5, 12], { stride: [3, 1], pad: [0, 2, 3, 1] }],
  ["dilated", [1, 11, 13, 4], [3, 2, 8], { dilation: [2, 3], pad: [2, 2, 1, 1] }],
  ["dilated and strided", [1, 13, 17, 8], [3, 3, 4], { dilation: [2, 4], stride: [3, 2], pad: [2, 1, 4, 4] }],
  ["one more than tiles have, on each side", [1, 1, 193, 65], [1, 1, 65], {}],
  ["one pixel more than tiles have, by fours", [1, 3, 43, 4], [1, 1, 4], {}],
  ["two groups", [2, 6, 5, 6], [3, 3, 10], { groups: 2, pad: [1, 1, 1, 1] }],
  ["four groups, by fours", [1, 6, 5, 32], [3, 3, 64], { groups: 4, pad: [1, 1, 1, 1], stride: [2, 1] }],
  ["depthwise", [1, 6, 5, 8], [3, 3, 8], { groups: 8, pad: [1, 1, 1, 1] }],
  [NAN_INSIDE, [1, 8, 9, 4], [3, 3, 8], { pad: [1, 1, 1, 1] }],
  ["so many channels that sums are split", [1, 3, 2, 520], [1, 1, 516], {}],
  ["no image", [0, 5, 5, 4], [3, 3, 8], {}],
  ["no channels", [1, 3, 3, 0], [2, 2, 4], {}],
];

function params([N, H, W, C]: Image, [R, S, O]: Window, options: Options): Conv2dParams {
  const { stride = [1, 1], pad = [0, 0, 0, 0], dilation = [1, 1], groups = 1 } = options;
  const P = Math.floor((H + pad[0] + pad[1] - dilation[0] * (R - 1) - 1) / stride[0]) + 1;
  const Q = Math.floor((W + pad[2] + pad[3] - dilation[1] * (S - 1) - 1) / stride[1]) + 1;
  const [strideRows, strideCols] = stride;
  const [dilationRows, dilationCols] = dilation;
  const [padTop, , padLeft] = pad;
  return {
    N,
    H,
    W,
    C,
    R,
    S,
    O,
    P,
    Q,
    strideRows,
    strideCols,
    padTop,
    padLeft,
    dilationRows,
    dilationCols,
    groups,
  };
}

const examples = () =>
  shapes.map(([name, image, window, options]) => {
    const p = params(image, window, options);
    const x = randomValues(p.N * p.H * p.W * p.C, 1);
    const w = randomValues((p.R * p.S * p.C * p.O) / p.groups, 2);
    const dy = randomValues(p.N * p.P * p.Q * p.O, 3);
    if (name === NAN_INSIDE) for (const image of [x, dy]) image[image.length >> 1] = Number.NaN;
    return { name, p, x, w, dy };
  });

/** A case, and the same with an operand of each kind in its epilogue. */
function fused(example: Case<Conv2dParams>, channels: number): Case<Conv2dParams>[] {
  const [y] = example.expected as [Float64Array];
  const [x, w] = example.reads as [Float32Array, Float32Array];
  const [bias, rest] = [randomValues(channels, 4), randomValues(y.length, 5)];
  return [
    example,
    {
      ...example,
      name: `${example.name}, with an epilogue`,
      reads: [x, w, bias, rest],
      epilogue: {
        expression: "select(max(value + e0 + e1, Vec(0)), value, magnitude(value) > Bits(0x7f800000u))",
        operands: [
          { kind: "channel", type: "f32" },
          { kind: "dense", type: "f32" },
        ],
      },
      expected: [y.map((value, i) => Math.max(0, value + bias[i % channels]! + rest[i]!))],
      races: false,
    },
  ];
}

/** dw summed apart over `splits` parts of N·P·Q, each from a dy that is zero outside its part. */
function inStretches(p: Conv2dParams, splits: number, x: Float32Array, dy: Float32Array): Float64Array {
  const perSplit = Math.ceil((p.N * p.P * p.Q) / splits) * p.O;
  const partials = Array.from({ length: splits }, (_, k) =>
    conv2dWeightGradReference(
      x,
      dy.map((value, i) => (i >= k * perSplit && i < (k + 1) * perSplit ? value : 0)),
      p,
    ),
  );
  return Float64Array.from(partials.flatMap((part) => [...part]));
}

export const checks = [
  check(conv2d, () =>
    examples().flatMap(({ name, p, x, w, dy }) => {
      const example = {
        name,
        params: p,
        reads: [x, w],
        writes: [new Float32Array(dy.length)],
        expected: [conv2dReference(x, w, p)],
        races: /^17 pixels of/.test(name),
      };
      return fused(example, p.O);
    }),
  ),
  momentsCheck,
  check(conv2dInputGrad, () =>
    examples().flatMap(({ name, p, x, w, dy }) => {
      const example = {
        name,
        params: p,
        reads: [dy, w],
        writes: [new Float32Array(x.length)],
        expected: [conv2dInputGradReference(dy, w, p)],
        races: /^17 pixels into/.test(name),
      };
      return fused(example, p.C);
    }),
  ),
  check(conv2dWeightGrad, () =>
    // Zeros of the padding times NaN are NaN in some variants and left out in others.
    examples()
      .filter(({ name }) => name !== NAN_INSIDE)
      .flatMap(({ name, p, x, w, dy }) =>
        [1, 3].map((splits) => ({
          name: `${name}, ${splits} splits`,
          params: { ...p, splits },
          reads: [x, dy],
          writes: [new Float32Array(splits * w.length).fill(7)],
          expected: [inStretches(p, splits, x, dy)],
          races: /^(17 pixels of 17|36 pixels)/.test(name) && splits === 1,
        })),
      ),
  ),
  check(sumPartials, () =>
    [
      [1, 1],
      [37, 3],
      [5, 0],
      [600, 3], // several workgroups
      [301, 70], // several blocks, the last one short
      [8, 70],
    ].map(([length = 0, splits = 0]) => {
      const partial = randomValues(length * splits);
      const y = Float64Array.from({ length }, (_, i) => {
        let sum = 0;
        for (let k = 0; k < splits; k++) sum += partial[k * length + i]!;
        return sum;
      });
      return {
        name: `${splits} of ${length}`,
        params: { length, splits },
        reads: [partial],
        writes: [new Float32Array(length).fill(7)],
        expected: [y],
      };
    }),
  ),
];
