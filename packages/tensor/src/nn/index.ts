export { BatchNorm2d, type BatchNorm2dOptions } from "./batchNorm2d.ts";
export { checkpoint } from "./checkpoint.ts";
export { Conv2d, type Conv2dOptions } from "./conv2d.ts";
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
