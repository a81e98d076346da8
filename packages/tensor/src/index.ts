export { KernelError, type Timing } from "@shadegrad/kernels-wgsl";
export type { InitOptions } from "./adapter.ts";
export { assign } from "./assign.ts";
export { type ArgNums, backward, type Gradients, grad, noGrad, valueAndGrad } from "./autograd.ts";
export { cacheFolder } from "./cache-folder.ts";
export { type Compiled, type CompileOptions, compile } from "./compile/compile.ts";
export type { PlanSummary } from "./compile/plan.ts";
export { arange, full, linspace, ones, onesLike, zeros, zerosLike } from "./create.ts";
export { debugLevel } from "./debug.ts";
export { Device, type DeviceCounts, defaultDevice, init, openDevice } from "./device.ts";
export { DeviceError, FormatError, ShapeError } from "./errors.ts";
export { findNaN } from "./find-nan.ts";
export { describeOrigin, type NaNOrigin } from "./nan.ts";
export { clamp, leakyRelu, relu, sigmoid, silu, tanh } from "./ops/activation.ts";
export { argmax, argmin } from "./ops/argmax.ts";
export { abs, add, div, maximum, minimum, mul, neg, pow, sign, square, sub } from "./ops/arithmetic.ts";
export { type BatchNormOptions, batchMoments, batchNorm } from "./ops/batchNorm.ts";
export { cast } from "./ops/cast.ts";
export { equal, greater, greaterEqual, less, lessEqual, notEqual, where } from "./ops/comparison.ts";
export { concat, stack } from "./ops/concat.ts";
export { type Conv2dOptions, conv2d, type Padding, type Pair } from "./ops/conv2d.ts";
export type { Operand } from "./ops/elementwise.ts";
export { broadcastTo, tile } from "./ops/expand.ts";
export { gather, oneHot } from "./ops/gather.ts";
export {
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  mseLoss,
  type Reduction,
} from "./ops/loss.ts";
export { ceil, cos, exp, floor, log, round, rsqrt, sin, sqrt } from "./ops/math.ts";
export { linear, matmul } from "./ops/matmul.ts";
export { permute, transpose } from "./ops/permute.ts";
export {
  type AvgPool2dOptions,
  avgPool2d,
  globalAvgPool2d,
  type MaxPool2dOptions,
  maxPool2d,
  type Pool2dOptions,
} from "./ops/pool.ts";
export {
  type DropoutOptions,
  dropout,
  normal,
  type RandomOptions,
  rand,
  randint,
  randn,
  uniform,
} from "./ops/random.ts";
export { type Axes, max, mean, min, type ReduceOptions, sum } from "./ops/reduce.ts";
export { flatten, reshape, squeeze, unsqueeze } from "./ops/shape.ts";
export { flip, pad, slice, split } from "./ops/slice.ts";
export { logSoftmax, softmax } from "./ops/softmax.ts";
export { type VarianceOptions, variance } from "./ops/variance.ts";
export { measurePeak, type Peak } from "./peak.ts";
export { autocast, type Precision } from "./precision.ts";
export { Generator, generatorOf, manualSeed } from "./random.ts";
export { keep, type Scope, scope } from "./scope.ts";
export {
  type DType,
  type Nested,
  type Shape,
  Tensor,
  type TensorData,
  type TensorOptions,
  tensor,
} from "./tensor.ts";
export { type TuneOptions, type Tuning, type TuningRow, tune } from "./tune/tune.ts";
