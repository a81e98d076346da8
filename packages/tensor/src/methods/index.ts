/**
 * Ops as methods of tensors, after `import "@shadegrad/tensor/methods"`: `x.add(y).relu()` is `relu(add(x, y))`. The import
 * brings all of these ops in; without it, bundlers drop those that a program does not use.
 *
 * @module
 */
import { Tensor } from "../core/tensor.ts";
import { clamp, gelu, leakyRelu, relu, sigmoid, silu, tanh } from "../ops/activation.ts";
import { argmax, argmin } from "../ops/argmax.ts";
import { abs, add, div, maximum, minimum, mul, neg, pow, sign, square, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { equal, greater, greaterEqual, less, lessEqual, notEqual, where } from "../ops/comparison.ts";
import { conv2d } from "../ops/conv2d.ts";
import { cumsum } from "../ops/cumsum.ts";
import { broadcastTo, tile } from "../ops/expand.ts";
import { gather } from "../ops/gather.ts";
import { gatherElements } from "../ops/gather-elements.ts";
import { logSumExp } from "../ops/log-sum-exp.ts";
import { all, allClose, any, isNaN as markNaN } from "../ops/logic.ts";
import { ceil, cos, exp, floor, log, round, rsqrt, sin, sqrt } from "../ops/math.ts";
import { matmul } from "../ops/matmul.ts";
import { diag, tril, triu } from "../ops/matrix.ts";
import { norm, std } from "../ops/norm.ts";
import { permute, transpose } from "../ops/permute.ts";
import { prod } from "../ops/prod.ts";
import { chunk, repeat, roll } from "../ops/rearrange.ts";
import { max, mean, min, sum } from "../ops/reduce.ts";
import { flatten, reshape, squeeze, unsqueeze } from "../ops/shape.ts";
import { flip, pad, slice, split } from "../ops/slice.ts";
import { elu, softplus } from "../ops/smooth-units.ts";
import { logSoftmax, softmax } from "../ops/softmax.ts";
import { argsort, sort, topK } from "../ops/sort.ts";
import { atan2, erf, tan } from "../ops/special.ts";
import { variance } from "../ops/variance.ts";

/** Ops by name, each with the tensor as its first argument. */
const OPS = {
  abs,
  add,
  all,
  allClose,
  any,
  argmax,
  argmin,
  argsort,
  atan2,
  broadcastTo,
  cast,
  ceil,
  chunk,
  clamp,
  conv2d,
  cos,
  cumsum,
  diag,
  div,
  elu,
  equal,
  erf,
  exp,
  flatten,
  flip,
  floor,
  gather,
  gatherElements,
  gelu,
  greater,
  greaterEqual,
  isNaN: markNaN,
  leakyRelu,
  less,
  lessEqual,
  log,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  neg,
  norm,
  notEqual,
  pad,
  permute,
  pow,
  prod,
  relu,
  repeat,
  reshape,
  roll,
  round,
  rsqrt,
  sigmoid,
  sign,
  silu,
  sin,
  slice,
  softmax,
  softplus,
  sort,
  split,
  sqrt,
  square,
  squeeze,
  std,
  sub,
  sum,
  tan,
  tanh,
  tile,
  topK,
  transpose,
  tril,
  triu,
  unsqueeze,
  variance,
  where,
} as const;

/** An op without its first argument. */
type Method<F> = F extends (first: infer _, ...rest: infer R) => infer Y ? (...rest: R) => Y : never;

declare module "../core/tensor.ts" {
  // Members one by one: of a type to extend, the compiler would need the members while it looks for those of the class.
  interface Tensor {
    abs: Method<typeof abs>;
    add: Method<typeof add>;
    all: Method<typeof all>;
    allClose: Method<typeof allClose>;
    any: Method<typeof any>;
    argmax: Method<typeof argmax>;
    argmin: Method<typeof argmin>;
    argsort: Method<typeof argsort>;
    atan2: Method<typeof atan2>;
    broadcastTo: Method<typeof broadcastTo>;
    cast: Method<typeof cast>;
    ceil: Method<typeof ceil>;
    chunk: Method<typeof chunk>;
    clamp: Method<typeof clamp>;
    conv2d: Method<typeof conv2d>;
    cos: Method<typeof cos>;
    cumsum: Method<typeof cumsum>;
    diag: Method<typeof diag>;
    div: Method<typeof div>;
    elu: Method<typeof elu>;
    equal: Method<typeof equal>;
    erf: Method<typeof erf>;
    exp: Method<typeof exp>;
    flatten: Method<typeof flatten>;
    flip: Method<typeof flip>;
    floor: Method<typeof floor>;
    gather: Method<typeof gather>;
    gatherElements: Method<typeof gatherElements>;
    gelu: Method<typeof gelu>;
    greater: Method<typeof greater>;
    greaterEqual: Method<typeof greaterEqual>;
    isNaN: Method<typeof markNaN>;
    leakyRelu: Method<typeof leakyRelu>;
    less: Method<typeof less>;
    lessEqual: Method<typeof lessEqual>;
    log: Method<typeof log>;
    logSoftmax: Method<typeof logSoftmax>;
    logSumExp: Method<typeof logSumExp>;
    matmul: Method<typeof matmul>;
    max: Method<typeof max>;
    maximum: Method<typeof maximum>;
    mean: Method<typeof mean>;
    min: Method<typeof min>;
    minimum: Method<typeof minimum>;
    mul: Method<typeof mul>;
    neg: Method<typeof neg>;
    norm: Method<typeof norm>;
    notEqual: Method<typeof notEqual>;
    pad: Method<typeof pad>;
    permute: Method<typeof permute>;
    pow: Method<typeof pow>;
    prod: Method<typeof prod>;
    relu: Method<typeof relu>;
    repeat: Method<typeof repeat>;
    reshape: Method<typeof reshape>;
    roll: Method<typeof roll>;
    round: Method<typeof round>;
    rsqrt: Method<typeof rsqrt>;
    sigmoid: Method<typeof sigmoid>;
    sign: Method<typeof sign>;
    silu: Method<typeof silu>;
    sin: Method<typeof sin>;
    slice: Method<typeof slice>;
    softmax: Method<typeof softmax>;
    softplus: Method<typeof softplus>;
    sort: Method<typeof sort>;
    split: Method<typeof split>;
    sqrt: Method<typeof sqrt>;
    square: Method<typeof square>;
    squeeze: Method<typeof squeeze>;
    std: Method<typeof std>;
    sub: Method<typeof sub>;
    sum: Method<typeof sum>;
    tan: Method<typeof tan>;
    tanh: Method<typeof tanh>;
    tile: Method<typeof tile>;
    topK: Method<typeof topK>;
    transpose: Method<typeof transpose>;
    tril: Method<typeof tril>;
    triu: Method<typeof triu>;
    unsqueeze: Method<typeof unsqueeze>;
    variance: Method<typeof variance>;
    where: Method<typeof where>;
  }
}

for (const [name, op] of Object.entries(OPS) as [string, (...args: unknown[]) => unknown][]) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return op(this, ...rest);
    },
    configurable: true,
    writable: true,
  });
}
