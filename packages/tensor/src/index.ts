export { KernelError, type Timing } from "@shadegrad/kernels-wgsl";
export { type ArgNums, backward, type Gradients, grad, valueAndGrad } from "./backward/backward.ts";
export { type Compiled, type CompileOptions, compile } from "./compile/compile.ts";
export type { PlanSummary } from "./compile/plan.ts";
export { assign } from "./core/assign.ts";
export { noGrad } from "./core/autograd.ts";
export { arange, full, linspace, ones, onesLike, zeros, zerosLike } from "./core/create.ts";
export type { DType } from "./core/dtype.ts";
export { findNaN } from "./core/find-nan.ts";
export { Generator, generatorOf, manualSeed } from "./core/generator.ts";
export { init, openDevice } from "./core/init.ts";
export type { Operand } from "./core/map.ts";
export { describeOrigin, type NaNOrigin } from "./core/nan.ts";
export type { Nested, TensorData } from "./core/numbers.ts";
export { keep, type Scope, scope } from "./core/scope.ts";
export type { Shape } from "./core/shape.ts";
export { Tensor, type TensorOptions, tensor } from "./core/tensor.ts";
export { checkChoice, checkOptions, DeviceError, FormatError, nearest, ShapeError } from "./errors.ts";
export type { InitOptions } from "./gpu/adapter.ts";
export { cacheFolder } from "./gpu/cache-folder.ts";
export { debugLevel } from "./gpu/debug.ts";
export { defaultDevice } from "./gpu/default-device.ts";
export { Device, type DeviceCounts } from "./gpu/device.ts";
export { autocast, type Precision } from "./gpu/precision.ts";
export { clamp, gelu, leakyRelu, relu, sigmoid, silu, tanh } from "./ops/activation.ts";
export { adaptiveAvgPool2d } from "./ops/adaptive-pool.ts";
export { argmax, argmin } from "./ops/argmax.ts";
export { abs, add, div, maximum, minimum, mul, neg, pow, sign, square, sub } from "./ops/arithmetic.ts";
export { type BatchNormOptions, batchMoments, batchNorm } from "./ops/batchNorm.ts";
export { cast } from "./ops/cast.ts";
export { equal, greater, greaterEqual, less, lessEqual, notEqual, where } from "./ops/comparison.ts";
export { concat, stack } from "./ops/concat.ts";
export { type ConvTranspose2dOptions, convTranspose2d } from "./ops/conv-transpose2d.ts";
export { type Conv2dOptions, conv2d, type Padding, type Pair } from "./ops/conv2d.ts";
export { type CropImagesOptions, cropImages } from "./ops/crop-images.ts";
export { cumsum } from "./ops/cumsum.ts";
export { einsum } from "./ops/einsum.ts";
export {
  type BceWithLogitsOptions,
  bceWithLogits,
  type HuberLossOptions,
  huberLoss,
  l1Loss,
  type NllLossOptions,
  nllLoss,
} from "./ops/elementwise-losses.ts";
export { broadcastTo, tile } from "./ops/expand.ts";
export {
  type FromPixelsOptions,
  fromPixels,
  type PixelSource,
  pixelSize,
  type RgbaPixels,
} from "./ops/from-pixels.ts";
export { gather, oneHot } from "./ops/gather.ts";
export { gatherElements } from "./ops/gather-elements.ts";
export { type InterpolateOptions, interpolate } from "./ops/interpolate.ts";
export { groupNorm, type LayerNormOptions, layerNorm } from "./ops/layer-norm.ts";
export { logSumExp } from "./ops/log-sum-exp.ts";
export { type AllCloseOptions, all, allClose, any, isNaN } from "./ops/logic.ts";
export {
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  mseLoss,
  type Reduction,
} from "./ops/loss.ts";
export { ceil, cos, exp, floor, log, round, rsqrt, sin, sqrt } from "./ops/math.ts";
export { linear, matmul } from "./ops/matmul.ts";
export { diag, eye, tril, triu } from "./ops/matrix.ts";
export { type NormOptions, norm, std } from "./ops/norm.ts";
export type { PadMode } from "./ops/pad-modes.ts";
export { permute, transpose } from "./ops/permute.ts";
export {
  type AvgPool2dOptions,
  avgPool2d,
  globalAvgPool2d,
  type MaxPool2dOptions,
  maxPool2d,
  maxPool2dWithIndices,
  type Pool2dOptions,
  type Pooled,
} from "./ops/pool.ts";
export { prod } from "./ops/prod.ts";
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
export { chunk, repeat, roll } from "./ops/rearrange.ts";
export { type Axes, max, mean, min, type ReduceOptions, sum } from "./ops/reduce.ts";
export { flatten, reshape, squeeze, unsqueeze } from "./ops/shape.ts";
export { flip, pad, slice, split } from "./ops/slice.ts";
export { elu, type SoftplusOptions, softplus } from "./ops/smooth-units.ts";
export { logSoftmax, softmax } from "./ops/softmax.ts";
export { argsort, type Sorted, type SortOptions, sort, type TopKOptions, topK } from "./ops/sort.ts";
export { atan2, erf, tan } from "./ops/special.ts";
export { stridedPad } from "./ops/strided-pad.ts";
export { type VarianceOptions, variance } from "./ops/variance.ts";
export { measurePeak, type Peak } from "./tune/peak.ts";
export { type TuneOptions, tune } from "./tune/tune.ts";
export type { Tuning, TuningRow } from "./tune/tuning.ts";
