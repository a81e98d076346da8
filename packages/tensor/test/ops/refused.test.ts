import { beforeAll, describe, expect, it } from "vitest";
import {
  adaptiveAvgPool2d,
  arange,
  argmax,
  argmin,
  avgPool2d,
  batchNorm,
  broadcastTo,
  chunk,
  clamp,
  concat,
  conv2d,
  convTranspose2d,
  cropImages,
  crossEntropy,
  diag,
  dropout,
  einsum,
  eye,
  fromPixels,
  gather,
  gatherElements,
  globalAvgPool2d,
  groupNorm,
  huberLoss,
  init,
  interpolate,
  layerNorm,
  linear,
  matmul,
  maxPool2d,
  nllLoss,
  norm,
  oneHot,
  ones,
  pad,
  permute,
  randint,
  relu,
  repeat,
  reshape,
  roll,
  type Shape,
  slice,
  softplus,
  split,
  squeeze,
  stack,
  sum,
  tile,
  topK,
  transpose,
  uniform,
  unsqueeze,
  where,
} from "../../src/index.ts";

beforeAll(async () => {
  await init({ quiet: true });
});

const x = (...shape: number[]) => ones(shape);
const whole = (...shape: number[]) => ones(shape, { dtype: "i32" });
const wrong = (value: unknown) => value as never;
const NAN = Number.NaN;
const picture = { data: new Uint8ClampedArray(4 * 12), width: 4, height: 3 };

/** Calls that are refused, each with a part of its message. */
const REFUSED: Record<string, readonly (readonly [() => unknown, string | RegExp])[]> = {
  clamp: [
    [() => clamp(x(2), 2, 1), "min is 2 but max is 1. x is [2]"],
    [() => clamp(x(2), NAN, 1), "min is NaN"],
  ],
  adaptiveAvgPool2d: [
    [() => adaptiveAvgPool2d(x(4, 4, 1), 2), "x needs 4 axes, not 3"],
    [() => adaptiveAvgPool2d(x(1, 4, 4, 1), 0), "size is [0,0], not whole numbers ≥ 1"],
    [() => adaptiveAvgPool2d(x(1, 4, 4, 1), wrong([2])), "size is [2]"],
  ],
  "argmax and argmin": [
    [() => argmax(x(2, 0), 1), "argmax: nothing to choose from along axis 1. x is [2,0]"],
    [() => argmin(x(0)), "argmin: nothing to choose from along all axes"],
    [() => argmax(x(2), 1), "there is no axis 1"],
  ],
  arange: [
    [() => arange(0, 3, 0), "a step of 0 does not lead from 0 to 3"],
    [() => arange(3, 3, 0), "a step of 0 does not lead from 3 to 3"],
    [() => arange(0, 3, -1), "a step of -1 does not lead from 0 to 3"],
    [() => arange(3, 0), "a step of 1 does not lead from 3 to 0"],
    [() => arange(0, 1 / 0), "does not lead from 0 to Infinity"],
  ],
  axes: [
    [() => sum(x(2), wrong("0")), "axes are a number or an array of numbers"],
    [() => sum(x(2, 2), [0, -2]), "axis 0 is given twice, in [0,-2]"],
    [() => sum(x(2, 2, 2), [1, 0, -2]), "axis 1 is given twice, in [1,0,-2]"],
    [() => sum(x(2), 0.5), "there is no axis 0.5"],
  ],
  batchNorm: [
    [() => batchNorm(x(3), x(3), x(3), { training: true }), "x needs 2 axes or more, not 1"],
    [() => batchNorm(x(2, 3), whole(3), x(3), { training: true }), "gamma is i32 but has to be f32"],
    [() => batchNorm(x(2, 3), x(3), x(2), { training: true }), "x has 3 channels but beta has 2"],
    [() => batchNorm(x(2, 3), x(1, 3), x(3), { training: true }), "but gamma has 2 axes"],
    [
      () => batchNorm(x(2, 3), x(3), x(3), { runningMean: x(3) }),
      "runningMean is given without the other running statistic",
    ],
    [
      () => batchNorm(x(2, 3), x(3), x(3), { runningVar: x(3) }),
      "runningVar is given without the other running statistic",
    ],
    [() => batchNorm(x(2, 3), x(3), x(3)), "evaluation needs runningMean and runningVar"],
    [
      () => batchNorm(x(1, 3), x(3), x(3), { training: true }),
      "training needs more than 1 value per channel, not 1",
    ],
  ],
  "concat and stack": [
    [() => concat([]), "concat: there are no tensors to join"],
    [() => concat([x(2, 3), x(2, 2)]), "xs[0] and xs[1] have to agree in all axes but 0"],
    [
      () => stack([x(2), x(2)], 3),
      "stack: there is no place 3 for a new axis: there are 0 to 1, or -2 to -1. x is [2]",
    ],
    [() => stack([x(2), x(2), x(3)]), "xs[0] and xs[2] have to agree in"],
    [() => concat([x(2), whole(2)]), /xs\[0\].*xs\[1\].*i32|f32.*i32/],
  ],
  convTranspose2d: [
    [
      () => convTranspose2d(x(3, 3, 2), x(2, 2, 4, 2)),
      "x and w need 4 axes each, not 3 and 4. x is [3,3,2] as [N, P, Q, C]; w is [2,2,4,2] as [R, S, O, C]",
    ],
    [
      () => convTranspose2d(x(1, 3, 3, 2), x(2, 2, 2), { groups: 2, bias: x(4) }),
      "w is [2,2,2] as [R, S, O / groups, C]; bias is [4] as [O]",
    ],
    [() => convTranspose2d(whole(1, 3, 3, 2), x(2, 2, 4, 2)), 'x is i32; make it floats with cast(x, "f32")'],
    [() => convTranspose2d(x(1, 3, 3, 2), whole(2, 2, 4, 2)), 'w is i32; make it floats with cast(w, "f32")'],
    [() => convTranspose2d(x(1, 3, 3, 3), x(2, 2, 4, 2)), "x has 3 channels but w expects 2"],
    [
      () => convTranspose2d(x(1, 3, 3, 2), x(2, 2, 4, 2), { groups: 0 }),
      "groups is 0, not a whole number ≥ 1",
    ],
    [
      () => convTranspose2d(x(1, 3, 3, 3), x(2, 2, 4, 3), { groups: 1.5 }),
      "groups is 1.5, not a whole number",
    ],
    [
      () => convTranspose2d(x(1, 3, 3, 3), x(2, 2, 4, 3), { groups: 2 }),
      "3 channels do not divide into 2 groups",
    ],
    [
      () => convTranspose2d(x(1, 3, 3, 2), x(2, 2, 4, 2), { bias: x(2) }),
      "bias has 2 elements but there are 4 output channels",
    ],
    [
      () => convTranspose2d(x(1, 1, 1, 2), x(2, 2, 4, 2), { padding: 1 }),
      "nothing is left of the output: 0×0 pixels",
    ],
  ],
  conv2d: [
    [() => conv2d(x(3, 3, 2), x(2, 2, 2, 4)), "x and w need 4 axes each, not 3 and 4"],
    [() => conv2d(whole(1, 3, 3, 2), x(2, 2, 2, 4)), "x is i32; make it floats"],
    [() => conv2d(x(1, 3, 3, 2), whole(2, 2, 2, 4)), "w is i32; make it floats"],
    [() => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { groups: 0 }), "groups is 0, not a whole number ≥ 1"],
    [() => conv2d(x(1, 3, 3, 3), x(2, 2, 2, 4), { groups: 1.5 }), "groups is 1.5, not a whole number ≥ 1"],
    [
      () => conv2d(x(1, 3, 3, 2), x(2, 2, 1, 3), { groups: 2 }),
      "2 channels in and 3 out do not divide into 2 groups",
    ],
    [
      () => conv2d(x(1, 3, 3, 3), x(2, 2, 1, 4), { groups: 2 }),
      "3 channels in and 4 out do not divide into 2 groups",
    ],
    [() => conv2d(x(1, 3, 3, 4), x(2, 2, 2, 4)), "x has 4 channels but w expects 2"],
    [() => conv2d(x(1, 3, 3, 2), x(0, 2, 2, 4)), "a window of 0×2 is empty"],
    [() => conv2d(x(1, 3, 3, 2), x(2, 0, 2, 4)), "a window of 2×0 is empty"],
    [
      () => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { bias: x(2) }),
      "bias has 2 elements but w has 4 output channels",
    ],
    [() => conv2d(x(1, 3, 3, 2), x(2, 4, 2, 4)), "a 2×4 window does not fit in a 3×3 image"],
    [() => conv2d(x(1, 3, 3, 2), x(4, 2, 2, 4)), "a 4×2 window does not fit in a 3×3 image"],
    [() => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { dilation: 3 }), /2×2 window.* does not fit/],
    [() => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { stride: 0 }), "stride is [0,0], not whole numbers ≥ 1"],
    [() => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { stride: [1, 1.5] }), "stride is [1,1.5]"],
    [() => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { stride: wrong([1]) }), "stride is [1]"],
    [
      () => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { stride: wrong(Int32Array.of(2, 0)) }),
      "stride is [2,0], not whole numbers ≥ 1",
    ],
    [
      () => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { padding: "same", stride: [1, 2] }),
      'padding "same" needs stride 1, not [1,2]',
    ],
    [
      () => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { padding: "same", stride: [2, 1] }),
      'padding "same" needs stride 1, not [2,1]',
    ],
    [
      () => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { padding: wrong("full") }),
      "padding is full; there are same and valid",
    ],
    [() => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { padding: -1 }), "padding is [-1,-1]"],
    [
      () => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { padding: [0, 0, 0, -1] }),
      "padding is [0,0,0,-1], not whole numbers ≥ 0 for [top, bottom, left, right]",
    ],
    [() => conv2d(x(1, 3, 3, 2), x(2, 2, 2, 4), { padding: [0, 0.5, 0, 0] }), "padding is [0,0.5,0,0]"],
  ],
  cropImages: [
    [
      () => cropImages(ones([3], { dtype: "u32" }), whole(1, 4), x(2, 3), wrong({})),
      "a shape is an array such as [2, 3], not undefined",
    ],
    [
      () => cropImages(whole(3), whole(1, 4), x(2, 3), { shape: [2, 2, 3] }),
      "images are i32; they have to be u32 with four bytes to a word",
    ],
    [
      () => cropImages(ones([3], { dtype: "u32" }), x(1, 4), x(2, 3), { shape: [2, 2, 3] }),
      "picks are f32 [1,4]; they have to be i32 [B, 4]",
    ],
    [
      () => cropImages(ones([3], { dtype: "u32" }), whole(1, 3), x(2, 3), { shape: [2, 2, 3] }),
      "picks are i32 [1,3]",
    ],
    [
      () => cropImages(ones([3], { dtype: "u32" }), whole(1, 4), x(2, 2), { shape: [2, 2, 3] }),
      "colours are [2,2] but images have 3 channels, which need [2, 3]",
    ],
    [
      () =>
        cropImages([ones([4], { dtype: "u32" }), ones([3], { dtype: "u32" })], whole(1, 4), x(2, 3), {
          shape: [2, 2, 3],
        }),
      "the first 16 bytes are not whole images of 12",
    ],
  ],
  einsum: [
    [() => einsum("ij,jk->ik", x(2, 2)), "it names 2 operands, but there are 1"],
    [() => einsum("->"), "it names 1 operands, but there are 0"],
    [() => einsum("i1->i", x(2, 2)), "an equation is letters for axes"],
    [() => einsum("ij", x(2)), "operand 0 has 1 axes but 2 letters, ij"],
    [() => einsum("ii->i", x(2, 2)), "i stands twice for operand 0"],
    [() => einsum("i,i->i", x(2), x(3)), "i is 2 elements and 3 in operand 1"],
    [() => einsum("ij->ik", x(2, 2)), "k of the result stands in no operand."],
    [() => einsum("ij->ii", x(2, 2)), "i stands twice in the result."],
  ],
  losses: [
    [() => huberLoss(x(2), x(2), { delta: 0 }), "delta is 0, not a number above 0"],
    [() => huberLoss(x(2), x(2), { delta: 1 / 0 }), "delta is Infinity"],
    [() => nllLoss(x(), whole()), "logProbabilities need an axis of classes"],
    [() => nllLoss(x(2, 3), whole(3)), "logProbabilities are for [2] rows but labels are for [3]"],
    [() => nllLoss(x(2, 3), x(2)), "labels are f32, but classes have to be i32 or u32"],
    [() => crossEntropy(x(), whole()), "logits need an axis of classes"],
    [() => crossEntropy(x(2, 3), whole(3)), "logits are for [2] rows but labels are for [3]"],
    [() => crossEntropy(x(2, 0), whole(2)), "there are 0 classes"],
    [() => crossEntropy(x(2, 3), x(2)), "labels are f32, but classes have to be i32 or u32"],
    [
      () => crossEntropy(x(2, 3), whole(2), { labelSmoothing: 1.5 }),
      "labelSmoothing is 1.5, not from 0 to 1",
    ],
    [() => crossEntropy(x(2, 3), whole(2), { labelSmoothing: -0.1 }), "labelSmoothing is -0.1"],
    [() => crossEntropy(x(2, 3), whole(2), { ignoreIndex: 0.5 }), "ignoreIndex is 0.5, not a whole number"],
    [
      () => crossEntropy(x(2, 3), whole(2), { weights: wrong([1, 1, 1]) }),
      "weights are an array, not a tensor",
    ],
    [() => crossEntropy(x(2, 3), whole(2), { weights: x(2) }), "weights are [2] but there are 3 classes"],
    [
      () => crossEntropy(x(2, 3), whole(2), { weights: ones([3], { requiresGrad: true }) }),
      "weights require a gradient, but none goes to them",
    ],
  ],
  "broadcastTo and tile": [
    [() => broadcastTo(x(2, 3), [3]), "x has 2 axes but the shape only 1. x is [2,3]; shape is [3]"],
    [() => broadcastTo(x(2), [3]), "axis 0 of x has 2 elements but the shape wants 3"],
    ...[
      [-1, 3],
      [NAN, 3],
      [1.5, 3],
    ].map(
      (shape) =>
        [
          () => broadcastTo(x(1, 3), shape),
          `broadcastTo: a side of ${shape[0]} is not a whole number ≥ 0`,
        ] as const,
    ),
    [() => broadcastTo(x(3), wrong(3)), "broadcastTo: a shape is an array such as [2, 3], not a number"],
    [() => tile(x(2), [1, 2]), "each of 1 axes needs a whole number ≥ 0 of repeats"],
    [() => tile(x(2), [0.5]), "repeats are [0.5]"],
    [() => tile(x(2), [-1]), "repeats are [-1]"],
  ],
  fromPixels: [
    [() => fromPixels(wrong({ width: 0, height: 2 })), "the picture has 0 × 2 pixels. Wait for its load"],
    [
      () => fromPixels({ data: new Uint8ClampedArray(12), width: 2, height: 2 }),
      "12 bytes for 2 × 2 pixels of 4 bytes",
    ],
    [() => fromPixels(picture, { resize: [0, 4] }), "sides are not whole numbers ≥ 1. The picture is [3,4]"],
    [() => fromPixels(picture, { resize: [2.5, 4] }), "sides are not whole numbers ≥ 1"],
    ...[
      { top: 2, left: 0, height: 2, width: 4 },
      { top: 0, left: 1, height: 3, width: 4 },
      { top: -1, left: 0, height: 3, width: 4 },
      { top: 0, left: 0.5, height: 3, width: 2 },
    ].map(
      (crop) => [() => fromPixels(picture, { crop }), "the part is not inside the resized picture"] as const,
    ),
    [
      () => fromPixels(picture, { colours: [[1], [1], [1]] }),
      "colours have rows of 1,1,1, not four of C numbers",
    ],
    [() => fromPixels(picture, { colours: [[1], [1], [1, 2], [0]] }), "colours have rows of 1,1,2,1"],
  ],
  "gather and gatherElements": [
    [() => gather(x(3), x(1)), "indices have to be i32 or u32 but are f32"],
    [() => oneHot(whole(3), 2.5), "oneHot: a side of 2.5 is not a whole number"],
    [() => oneHot(x(3), 2), "labels have to be i32 or u32 but are f32"],
    [() => gatherElements(x(3), x(1)), "indices have to be i32 or u32 but are f32"],
    [() => gatherElements(x(3, 2), whole(1)), "x has 2 axes but indices have 1"],
    [() => gatherElements(x(3, 2), whole(2, 2), 1), "axis 0 has 3 elements in x but 2 in indices"],
  ],
  interpolate: [
    [() => interpolate(x(3, 3, 2), { scale: 2 }), "x has to be images. x is [3,3,2] as [N, H, W, C]"],
    [() => interpolate(x(1, 0, 3, 2), { size: 2 }), "x has to be images"],
    [() => interpolate(x(1, 3, 3, 2), {}), "either size or scale has to be given"],
    [() => interpolate(x(1, 3, 3, 2), { size: 2, scale: 2 }), "either size or scale has to be given"],
    [() => interpolate(x(1, 3, 3, 2), { scale: 0 }), /scale is \[0/],
    [() => interpolate(x(1, 3, 3, 2), { scale: [1, NAN] }), /scale is \[1,NaN\]/],
    [() => interpolate(x(1, 3, 3, 2), { size: 0 }), "size is [0,0], not whole numbers ≥ 1"],
    [() => interpolate(x(1, 3, 3, 2), { size: 2, mode: wrong("cubic") }), "there is no mode cubic"],
    [() => interpolate(x(1, 3, 3, 2), { size: 2, alignCorners: true }), "alignCorners is of bilinear only"],
  ],
  "layerNorm and groupNorm": [
    [() => layerNorm(x(2, 3), 3), "there are no last 3 axes. x is [2,3]"],
    [() => layerNorm(x(2, 3), 0), "there are no last 0 axes"],
    [() => layerNorm(x(2, 3), 0.5), "there are no last 0.5 axes"],
    [() => layerNorm(x(2, 3), 1, { weight: x(2) }), "layerNorm: weight is [2], not [3]. x is [2,3]"],
    [() => layerNorm(x(2, 3), 2, { bias: x(3) }), "layerNorm: bias is [3], not [2,3]"],
    [() => groupNorm(x(4), 2), "4 channels do not divide into 2 groups. x is [4]"],
    [() => groupNorm(x(2, 3), 2), "3 channels do not divide into 2 groups"],
    [() => groupNorm(x(2, 3), 1.5), "3 channels do not divide into 1.5 groups"],
    [() => groupNorm(x(2, 3), -3), "3 channels do not divide into -3 groups"],
    [() => groupNorm(x(2, 4), 2, { weight: x(2) }), "groupNorm: weight is [2], not [4]"],
  ],
  "matmul and linear": [
    [() => linear(x(), x(2, 3)), "x needs 1 axis or more and w needs 2, not 0 and 2"],
    [() => linear(x(2), x(2)), "x needs 1 axis or more and w needs 2, not 1 and 1"],
    [() => linear(x(4, 3), x(2, 3)), "x has 3 features but w expects 2"],
    [() => linear(x(4, 2), x(2, 3), x(2)), "b has 2 elements but w has 3 outputs"],
    [() => linear(whole(4, 2), x(2, 3)), 'x is i32; make it floats with cast(x, "f32")'],
    [() => matmul(x(), x(2)), "a and b need 1 axis or more, not 0 and 1"],
    [() => matmul(x(2, 3), x(2, 3)), "a has 3 columns but b has 2 rows"],
    [() => matmul(x(2, 1, 1), x(3, 1, 1)), "batch axis 0 has 2 in a but 3 in b"],
    [() => matmul(x(2, 2), whole(2, 2)), 'b is i32; make it floats with cast(b, "f32")'],
    [
      () => matmul(x(2, 1, 2, 1, 2, 1, 1), x(1, 2, 1, 2, 1, 1, 1)),
      "5 batch axes that a and b repeat by turns; at most 4",
    ],
  ],
  "eye and diag": [
    [() => eye(-1), "sides are -1 and -1, not whole numbers ≥ 0"],
    [() => eye(2, 0.5), "sides are 2 and 0.5"],
    [() => diag(x(2), 0.5), "0.5 is no diagonal. x is [2]"],
    [() => diag(x(2, 2), 0.5), "0.5 is no diagonal. x is [2,2]"],
    [() => diag(x(2, 2), 3), "x has no diagonal 3"],
    [() => diag(x()), /^diag: .*x is \[\]/],
  ],
  norm: [[() => norm(x(2), undefined, { p: NAN }), "p is NaN. x is [2]"]],
  pad: [
    [() => pad(x(2), []), "each of 1 axes needs [before, after], whole numbers ≥ 0"],
    [() => pad(x(2), wrong([[1]])), "padding is [[1]]"],
    [() => pad(x(2), [[0.5, 1]]), "padding is [[0.5,1]]"],
    [() => pad(x(2), [[1, -1]]), "padding is [[1,-1]]"],
    [() => pad(x(2), [[1, 1]], wrong("mirror")), "there is no mode mirror; there are"],
    [() => pad(x(0), [[1, 1]], "edge"), "axis 0 has no element to repeat"],
  ],
  "permute and transpose": [
    [() => permute(x(2, 3), [0]), "1 axes are given but x has 2"],
    [() => permute(x(2, 3), [0, 0]), "axis 0 is given twice"],
    [() => transpose(x(2)), "x has 1 axes: say which two to swap"],
    [() => transpose(x(2, 3), 0, 2), "there is no axis 2"],
  ],
  pools: [
    [() => globalAvgPool2d(x(2, 2, 1)), "globalAvgPool2d: "],
    [() => maxPool2d(x(2, 2, 1), { kernel: 2 }), "maxPool2d: "],
    [
      () => maxPool2d(x(1, 4, 4, 1), { kernel: 2, padding: 2 }),
      "padding of [2,2,2,2] is more than half of a 2×2 window on some side",
    ],
    [() => avgPool2d(x(1, 2, 4, 1), { kernel: 3 }), "a 3×3 window does not fit in a 2×4 image"],
    [() => avgPool2d(x(1, 4, 2, 1), { kernel: 3 }), "a 3×3 window does not fit in a 4×2 image"],
    [() => maxPool2d(x(1, 4, 4, 1), { kernel: 0 }), "kernel is [0,0], not whole numbers ≥ 1"],
  ],
  random: [
    [() => uniform([3], 2, 1), "low is 2 but high is 1. The shape is [3]"],
    [() => randint(0, 3, [2], { dtype: "f32" }), "whole numbers are i32 or u32, not f32"],
    [() => randint(3, 3, [2]), "3 up to, not including, 3 is no range of i32"],
    [() => randint(0.5, 3, [2]), "0.5 up to"],
    [() => randint(-1, 3, [2], { dtype: "u32" }), "no range of u32"],
    [() => randint(0, 2 ** 32, [2]), "no range of i32"],
    [() => uniform([2], 0, 1, { dtype: "i32" }), "fractions are f32 or f16, not i32"],
    [() => dropout(x(2), 1.5), "p is 1.5, not in [0, 1]"],
    [() => dropout(x(2), -0.5), "p is -0.5, not in [0, 1]"],
  ],
  "roll, repeat and chunk": [
    [() => roll(x(2, 2), [1, 1]), "2 shifts without axes. x is [2,2]"],
    [() => roll(x(2, 2), [1, 1], [0]), "shifts are [1,1] for axes [0]"],
    [() => roll(x(2), 0.5), /roll: .*0\.5/],
    [() => repeat(x(2), -1), "-1 times is no whole number ≥ 0"],
    [() => repeat(x(2), 0.5), "0.5 times is no whole number ≥ 0"],
    [() => chunk(x(2), 0), "0 pieces is no whole number ≥ 1"],
    [() => chunk(x(2), 1.5), "1.5 pieces is no whole number ≥ 1"],
  ],
  "reshape and squeeze": [
    [
      () => unsqueeze(x(2, 3), 3),
      "unsqueeze: there is no place 3 for a new axis: there are 0 to 2, or -3 to -1. x is [2,3].",
    ],
    [() => unsqueeze(x(2, 3), -4), "there is no place -4"],
    [() => reshape(x(6), wrong(6)), "a shape is an array such as [2, 3], not a number. x is [6]"],
    [() => reshape(x(6), [-1, -1]), "only one side may be -1"],
    [() => reshape(x(6), [-2, -3]), "a side of -2 is not a whole number ≥ 0"],
    [() => reshape(x(6), [1.5, 4]), "a side of 1.5 is not a whole number ≥ 0"],
    [() => reshape(x(6), [2, 2]), "x has 6 elements but the shape holds 4"],
    [() => reshape(x(6), [4, -1]), "6 elements do not divide into groups of 4"],
    [() => squeeze(x(2, 1), 0), "axis 0 has 2 elements, not 1"],
  ],
  "slice and split": [
    [() => slice(x(2), [0, 0]), "2 starts for 1 axes"],
    [() => slice(x(2), [0], [1, 1]), "2 ends for 1 axes"],
    [() => slice(x(2), [0], [1], [1, 1]), "2 steps for 1 axes"],
    [() => slice(x(2), [0], [1], [0]), "a step of 0 leads nowhere"],
    [() => slice(x(2), [0], [1], [0.5]), "a step of 0.5 leads nowhere"],
    [() => slice(x(2), [NAN]), "NaN is no position"],
    [() => slice(x(2), [0], [1.5]), "1.5 is no position"],
    [() => split(x(4), 1.5), "pieces of 1.5 elements do not make up axis 0"],
    [() => split(x(4), 0), "pieces of 0 elements"],
    [() => split(x(4), [1, 2]), "sizes [1,2] do not make up the 4 elements of axis 0"],
    [() => split(x(4), [5, -1]), "sizes [5,-1]"],
  ],
  "softplus and topK": [
    [() => softplus(x(2), { beta: 0 }), "beta is 0, not above 0. x is [2]"],
    [() => topK(x(2), 3), "k is 3 but axis 0 has 2 elements"],
    [() => topK(x(2), -1), "k is -1"],
    [() => topK(x(2), 0.5), "k is 0.5"],
  ],
  operands: [
    [() => relu(wrong(3)), "relu: x is a number, not a tensor"],
    [() => where(wrong(1), 1, 2), /where: .*has to be a tensor|where: /],
    [() => diag(wrong(1)), "diag: x is a number, not a tensor"],
    [() => reshape(wrong(1), [1] as Shape), "reshape: x is a number, not a tensor"],
  ],
};

describe.each(Object.entries(REFUSED))("%s", (_, rows) => {
  it.each(rows.map(([call, message]) => [String(message), call, message] as const))(
    "%s",
    (_, call, message) => {
      expect(call).toThrow(message);
    },
  );
});
