import type { Tensor } from "../core/tensor.ts";

export interface BatchNormOptions {
  /** `[C]`, moved towards the batch's in training, used in evaluation. */
  runningMean?: Tensor | undefined;
  runningVar?: Tensor | undefined;
  /** One i32, counted up in training: the number of batches in the running statistics. */
  numBatchesTracked?: Tensor | undefined;
  /** Normalize by the batch's own statistics; false unless given. */
  training?: boolean | undefined;
  /** Share by which the running statistics move towards the batch's, from 0 to 1. */
  momentum?: number | undefined;
  eps?: number | undefined;
}

export const BATCH_NORM_OPTIONS: readonly (keyof BatchNormOptions)[] = [
  ...(["runningMean", "runningVar", "numBatchesTracked"] as const),
  ...(["training", "momentum", "eps"] as const),
];
