import type { SGD } from "@shadegrad/tensor/optim";
import type { TrainOptions } from "./options.ts";

export interface RecipeOptions {
  /** Images of the data set. */
  images: number;
  /** Passes over the data, in place of the recipe's own number. */
  epochs?: number | undefined;
  /** Number of batches, in place of epochs. */
  steps?: number | undefined;
  batchSize?: number | undefined;
  lr?: number | undefined;
}

/** Names of {@link RecipeOptions}. */
export const RECIPE_OPTIONS: readonly (keyof RecipeOptions)[] = [
  "images",
  "epochs",
  "steps",
  "batchSize",
  "lr",
];

/** Settings of `train` beside model and data. */
export type Recipe = Required<Pick<TrainOptions, "batchSize" | "augment">> &
  Pick<TrainOptions, "schedule" | "labelSmoothing" | "rateFactors" | "lookahead"> & {
    steps: number;
    optimizer: SGD;
  };
