export { GELU, Sigmoid, SiLU, Softmax, Tanh } from "./activations.ts";
export { BatchNorm2d, type BatchNorm2dOptions } from "./batchNorm2d.ts";
export { checkpoint } from "./checkpoint.ts";
export { ConvTranspose2d, type ConvTranspose2dOptions } from "./conv-transpose2d.ts";
export { Conv2d, type Conv2dOptions } from "./conv2d.ts";
export { Embedding } from "./embedding.ts";
export * as init from "./init.ts";
export { Linear, type LinearOptions } from "./linear.ts";
export type { Loaded, LoadOptions, State } from "./match-state.ts";
export {
  countParameters,
  dispose,
  evaluate,
  inMode,
  type Layer,
  namedModules,
  namedParameters,
  parameter,
  parameters,
  stateDict,
  train,
  zeroGrad,
} from "./module.ts";
export { BatchNorm1d, GroupNorm, LayerNorm, type NormOptions } from "./normalization.ts";
export { Sequential } from "./sequential.ts";
export {
  type LoadEntriesOptions,
  type LoadStateOptions,
  loadEntries,
  loadSafetensors,
  loadStateDict,
  type StateEntry,
  type TorchLayout,
  torchStateDict,
} from "./state.ts";
export { AvgPool2d, Dropout, Flatten, GlobalAvgPool2d, Identity, MaxPool2d, ReLU } from "./stateless.ts";
export { Upsample } from "./upsample.ts";
