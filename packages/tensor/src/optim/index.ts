export { Adam, type AdamOptions, AdamW } from "./adam.ts";
export { WeightAverage } from "./average.ts";
export { clipGradNorm, clipGradValue } from "./clip.ts";
export { Lookahead } from "./lookahead.ts";
export { LossScaler, type LossScalerOptions, type Scaled, type ScaledStep } from "./lossScaler.ts";
export { type Group, Optimizer } from "./optimizer.ts";
export type { ParameterGroup, Parameters } from "./parameters.ts";
export { type PlateauOptions, plateau } from "./plateau.ts";
export { RMSprop, type RMSpropOptions } from "./rmsprop.ts";
export {
  type CosineOptions,
  cosine,
  type ExponentialOptions,
  exponential,
  type MultiStepOptions,
  multiStep,
  type OneCycleOptions,
  oneCycle,
  type Schedule,
  type WarmupOptions,
  warmup,
} from "./schedules.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export type { Slot } from "./stretches.ts";
