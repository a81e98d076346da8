export { KernelError } from "@shadegrad/kernels-wgsl";
export type { InitOptions } from "./adapter.ts";
export { backward, grad, noGrad, valueAndGrad } from "./autograd.ts";
export { arange, full, linspace, ones, onesLike, zeros, zerosLike } from "./create.ts";
export { Device, type DeviceCounts, defaultDevice, init, openDevice } from "./device.ts";
export { DeviceError, FormatError, ShapeError } from "./errors.ts";
export { argmax, argmin } from "./ops/argmax.ts";
export { type Axes, max, mean, min, type ReduceOptions, sum } from "./ops/reduce.ts";
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
