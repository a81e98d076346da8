import * as sg from "../src/index.ts";
import { type DType, type Shape, type Tensor, tensor } from "../src/index.ts";
import { randomValues } from "./gradient.ts";

/** An op on tensors of these shapes: floats of the type under test, but for whole numbers, whose values are given. */
export interface Row {
  readonly inputs: readonly Input[];
  readonly op: (...inputs: Tensor[]) => Tensor | readonly Tensor[] | Promise<unknown>;
}
type Input = Shape | { readonly shape: Shape; readonly whole: readonly number[] };

const X = [2, 4, 6, 8];

const row = (op: Row["op"], ...inputs: readonly Input[]): Row => ({
  op,
  inputs: inputs.length > 0 ? inputs : [X],
});
const two = (op: Row["op"]): Row => row(op, X, X);
const whole = (shape: Shape, ...values: number[]): Input => ({ shape, whole: values });

/** Every op that reads floats, by its name in `index.ts`; several calls of one are told apart by what follows a colon. */
export const EVERY_OP: Readonly<Record<string, Row>> = {
  abs: row((x) => sg.abs(x!)),
  adaptiveAvgPool2d: row((x) => sg.adaptiveAvgPool2d(x!, 2)),
  "adaptiveAvgPool2d: uneven": row((x) => sg.adaptiveAvgPool2d(x!, [3, 4])),
  add: two((x, y) => sg.add(x!, y!)),
  all: row((x) => sg.all(x!, 1)),
  allClose: two((x, y) => sg.allClose(x!, y!)),
  any: row((x) => sg.any(x!, 1)),
  argmax: row((x) => sg.argmax(x!, 1)),
  "argmax: two axes": row((x) => sg.argmax(x!, [1, 3])),
  argmin: row((x) => sg.argmin(x!)),
  argsort: row((x) => sg.argsort(x!)),
  atan2: two((x, y) => sg.atan2(x!, y!)),
  avgPool2d: row((x) => sg.avgPool2d(x!, { kernel: 2 })),
  "avgPool2d: ceilMode": row((x) => sg.avgPool2d(x!, { kernel: 3, stride: 2, padding: 1, ceilMode: true })),
  bceWithLogits: two((x, y) => sg.bceWithLogits(x!, y!)),
  "bceWithLogits: posWeight": row((x, y, posWeight) => sg.bceWithLogits(x!, y!, { posWeight }), X, X, [8]),
  broadcastTo: row((x) => sg.broadcastTo(x!, [3, ...X])),
  ceil: row((x) => sg.ceil(x!)),
  chunk: row((x) => sg.chunk(x!, 2, 3)),
  clamp: row((x) => sg.clamp(x!, -0.5, 0.25)),
  concat: two((x, y) => sg.concat([x!, y!], 1)),
  conv2d: row((x, w, bias) => sg.conv2d(x!, w!, { bias, padding: 1 }), X, [3, 3, 8, 4], [4]),
  convTranspose2d: row((x, w, bias) => sg.convTranspose2d(x!, w!, { bias, stride: 2 }), X, [3, 3, 4, 8], [4]),
  cos: row((x) => sg.cos(x!)),
  crossEntropy: row((x, labels) => sg.crossEntropy(x!, labels!), [3, 5], whole([3], 0, 4, 2)),
  "crossEntropy: ignoreIndex": row(
    (x, labels) => sg.crossEntropy(x!, labels!, { ignoreIndex: 4 }),
    [3, 5],
    whole([3], 0, 4, 2),
  ),
  cumsum: row((x) => sg.cumsum(x!, 1)),
  diag: row((x) => sg.diag(x!, 1)),
  "diag: of a vector": row((x) => sg.diag(x!, -1), [5]),
  div: two((x, y) => sg.div(x!, y!)),
  dropout: row((x) => sg.dropout(x!, 0.25)),
  "dropout: evaluation": row((x) => sg.dropout(x!, 0.25, { training: false })),
  einsum: row((a, b) => sg.einsum("bij,bjk->ik", a!, b!), [2, 3, 4], [2, 4, 5]),
  elu: row((x) => sg.elu(x!, 0.7)),
  equal: two((x, y) => sg.equal(x!, y!)),
  erf: row((x) => sg.erf(x!)),
  exp: row((x) => sg.exp(x!)),
  flatten: row((x) => sg.flatten(x!)),
  flip: row((x) => sg.flip(x!, [1, 2])),
  floor: row((x) => sg.floor(x!)),
  gather: row((x, at) => sg.gather(x!, at!, 1), X, whole([3], 3, 0, 0)),
  gatherElements: row((x, at) => sg.gatherElements(x!, at!, 1), [2, 3], whole([2, 2], 2, 0, 1, 1)),
  gelu: row((x) => sg.gelu(x!)),
  globalAvgPool2d: row((x) => sg.globalAvgPool2d(x!)),
  greater: two((x, y) => sg.greater(x!, y!)),
  greaterEqual: two((x, y) => sg.greaterEqual(x!, y!)),
  groupNorm: row((x, weight, bias) => sg.groupNorm(x!, 2, { weight, bias }), X, [8], [8]),
  huberLoss: two((x, y) => sg.huberLoss(x!, y!, { delta: 0.3 })),
  interpolate: row((x) => sg.interpolate(x!, { size: [5, 3] })),
  "interpolate: bilinear": row((x) => sg.interpolate(x!, { size: [5, 3], mode: "bilinear" })),
  "interpolate: the same size": row((x) => sg.interpolate(x!, { size: [4, 6] })),
  isNaN: row((x) => sg.isNaN(x!)),
  l1Loss: two((x, y) => sg.l1Loss(x!, y!)),
  layerNorm: row((x, weight, bias) => sg.layerNorm(x!, 1, { weight, bias }), X, [8], [8]),
  leakyRelu: row((x) => sg.leakyRelu(x!, 0.1)),
  less: two((x, y) => sg.less(x!, y!)),
  lessEqual: two((x, y) => sg.lessEqual(x!, y!)),
  linear: row((x, w, b) => sg.linear(x!, w!, b), X, [8, 5], [5]),
  log: row((x) => sg.log(x!)),
  logSoftmax: row((x) => sg.logSoftmax(x!)),
  logSumExp: row((x) => sg.logSumExp(x!, 1)),
  matmul: row((a, b) => sg.matmul(a!, b!), [2, 3, 4], [2, 4, 5]),
  "matmul: repeated": row((a, b) => sg.matmul(a!, b!), [3, 4], [2, 4, 5]),
  max: row((x) => sg.max(x!, 1)),
  maxPool2d: row((x) => sg.maxPool2d(x!, { kernel: 2 })),
  maxPool2dWithIndices: row((x) => Object.values(sg.maxPool2dWithIndices(x!, { kernel: 2 }))),
  maximum: two((x, y) => sg.maximum(x!, y!)),
  mean: row((x) => sg.mean(x!, [0, 2])),
  min: row((x) => sg.min(x!, 1)),
  minimum: two((x, y) => sg.minimum(x!, y!)),
  mseLoss: two((x, y) => sg.mseLoss(x!, y!)),
  mul: two((x, y) => sg.mul(x!, y!)),
  neg: row((x) => sg.neg(x!)),
  nllLoss: row((x, labels) => sg.nllLoss(x!, labels!), [3, 5], whole([3], 0, 4, 2)),
  "nllLoss: ignoreIndex": row(
    (x, labels) => sg.nllLoss(x!, labels!, { ignoreIndex: 4 }),
    [3, 5],
    whole([3], 0, 4, 2),
  ),
  norm: row((x) => sg.norm(x!, [1, 2])),
  "norm: p 0": row((x) => sg.norm(x!, 1, { p: 0 })),
  "norm: p 1": row((x) => sg.norm(x!, 1, { p: 1 })),
  "norm: p 3": row((x) => sg.norm(x!, 1, { p: 3 })),
  "norm: p Infinity": row((x) => sg.norm(x!, 1, { p: Infinity, keepdims: true })),
  notEqual: two((x, y) => sg.notEqual(x!, y!)),
  pad: row((x) =>
    sg.pad(
      x!,
      [
        [0, 0],
        [1, 1],
        [2, 0],
        [0, 0],
      ],
      0.5,
    ),
  ),
  "pad: reflect": row((x) =>
    sg.pad(
      x!,
      [
        [0, 0],
        [1, 1],
        [2, 0],
        [0, 0],
      ],
      "reflect",
    ),
  ),
  permute: row((x) => sg.permute(x!, [0, 3, 1, 2])),
  pow: two((x, y) => sg.pow(x!, y!)),
  prod: row((x) => sg.prod(x!, 1)),
  relu: row((x) => sg.relu(x!)),
  repeat: row((x) => sg.repeat(x!, 2, 1)),
  reshape: row((x) => sg.reshape(x!, [-1, 8])),
  roll: row((x) => sg.roll(x!, [1, 2], [1, 2])),
  "roll: as one row": row((x) => sg.roll(x!, 3)),
  round: row((x) => sg.round(x!)),
  rsqrt: row((x) => sg.rsqrt(x!)),
  sigmoid: row((x) => sg.sigmoid(x!)),
  sign: row((x) => sg.sign(x!)),
  silu: row((x) => sg.silu(x!)),
  sin: row((x) => sg.sin(x!)),
  slice: row((x) => sg.slice(x!, [0, 1], [2, -1])),
  softmax: row((x) => sg.softmax(x!, 1)),
  softplus: row((x) => sg.softplus(x!, { beta: 2 })),
  sort: row((x) => Object.values(sg.sort(x!, { axis: 1 }))),
  split: row((x) => sg.split(x!, 3, 1)),
  sqrt: row((x) => sg.sqrt(x!)),
  square: row((x) => sg.square(x!)),
  squeeze: row((x) => sg.squeeze(x!), [2, 1, 3]),
  stack: two((x, y) => sg.stack([x!, y!], 1)),
  std: row((x) => sg.std(x!, 1)),
  stridedPad: row((x) =>
    sg.stridedPad(
      x!,
      [1, 2, 3, 1],
      [
        [0, 0],
        [1, 0],
        [0, 0],
        [4, 4],
      ],
    ),
  ),
  sub: two((x, y) => sg.sub(x!, y!)),
  sum: row((x) => sg.sum(x!, [0, 2])),
  tan: row((x) => sg.tan(x!)),
  tanh: row((x) => sg.tanh(x!)),
  tile: row((x) => sg.tile(x!, [1, 2, 1, 1])),
  topK: row((x) => Object.values(sg.topK(x!, 2, { axis: 1 }))),
  transpose: row((x) => sg.transpose(x!, 1, 2)),
  tril: row((x) => sg.tril(x!)),
  triu: row((x) => sg.triu(x!, 1)),
  unsqueeze: row((x) => sg.unsqueeze(x!, 1)),
  variance: row((x) => sg.variance(x!, [1, 2])),
  where: row((a, b) => sg.where(a!, a!, b!), X, X),
};

/** Tensors for a row: floats from 0.05 to 0.95, where every op is defined. */
export function inputsOf({ inputs }: Row, dtype: DType, requiresGrad = false): Tensor[] {
  return inputs.map((input, i) => {
    if ("whole" in input) return tensor(input.whole, input.shape, { dtype: "i32" });
    const size = input.reduce((a, b) => a * b, 1);
    const values = randomValues(size, i + 1).map((value) => 0.5 + 0.45 * value);
    return tensor(values, input, { dtype, requiresGrad });
  });
}
