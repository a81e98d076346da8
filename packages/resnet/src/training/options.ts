import { checkOptions, type Precision } from "@shadegrad/tensor";
import { countParameters, type Layer } from "@shadegrad/tensor/nn";
import type { Schedule } from "@shadegrad/tensor/optim";
import { augmentationOf } from "../data/augment.ts";
import type { Augmentation, DataInput, Dataset, InputOptions } from "../data/index.ts";
import type { Preprocessing } from "../preprocessing.ts";
import { ResNet } from "../zoo.ts";
import { deviceOf, type Evaluation } from "./evaluate.ts";
import type { EpochRecord, ProgressEvent, Settings } from "./records.ts";
import type { AnyOptimizer } from "./step.ts";

/** Schedule of slow weights (see `Lookahead`). */
export interface LookaheadOptions {
  /** Steps between two updates. */
  readonly every: number;
  /** Share of the slow weights that stays, at the update after so many steps. */
  decay(steps: number): number;
}

export interface TrainOptions extends Pick<InputOptions, "crop" | "normalization"> {
  model: Layer & object;
  data: DataInput;
  /** Data for the evaluation after each epoch; the net does not learn from them. */
  validation?: DataInput | undefined;
  /** Passes over the data. Either this or `steps` is given. */
  epochs?: number | undefined;
  /** Number of batches; the last epoch may be partial. */
  steps?: number | undefined;
  batchSize?: number;
  optimizer: AnyOptimizer;
  /** The learning rate as a function of the step alone, counted from 0; the optimizer's own if absent. */
  schedule?: Schedule | undefined;
  /** Seed of the images' order, of augmentation, and of dropout without a generator of its own. */
  seed?: number;
  augment?: Augmentation | undefined;
  /** Share of the target that is spread over all classes, from 0 to 1. */
  labelSmoothing?: number;
  /** Factors of the schedule's rate for each of the optimizer's groups: 1 if absent. */
  rateFactors?: readonly number[] | undefined;
  /** Slow weights that replace the weights every few steps and at the end (see `Lookahead`). */
  lookahead?: LookaheadOptions | undefined;
  /**
   * True if images, which must be bytes in memory, stay on the GPU, which crops, mirrors and normalizes them: a step uploads
   * no pixels.
   */
  onDevice?: boolean | undefined;
  /**
   * True if a step is compiled (see `compile`); false if it runs op by op, for models that branch on the host at each
   * step. True if absent, except for an optimizer of one's own.
   */
  compile?: boolean | undefined;
  /**
   * Precision of products: the device's own if absent. With f16, weights and optimizer stay f32, and losses are scaled (see
   * `LossScaler`), which needs SGD, Adam or AdamW.
   */
  precision?: Precision | undefined;
  /** Folder, in Node, for checkpoint, weights, metrics and report. Nothing is written if absent. */
  out?: string | undefined;
  /**
   * Resume from the checkpoint in `out`, if there is one; from another, if this is its path. The settings must be those of
   * the checkpoint; the number of steps may change where the rates so far stay the same.
   */
  resume?: boolean | string;
  /** Steps between two lines of `metrics.jsonl`. */
  logEvery?: number;
  /** Called about once a second and after each epoch; in Node, if absent, an epoch is a line on standard error. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Ends the training after the current step, with a checkpoint. */
  signal?: AbortSignal | undefined;
  /** Other settings for the report: the model's name, the command. */
  settings?: Settings;
}

const OPTIONS: readonly (keyof TrainOptions)[] = [
  "model",
  "data",
  "validation",
  "epochs",
  "steps",
  "batchSize",
  "optimizer",
  "schedule",
  "seed",
  "augment",
  "crop",
  "normalization",
  "labelSmoothing",
  "rateFactors",
  "lookahead",
  "onDevice",
  "compile",
  "precision",
  "out",
  "resume",
  "logEvery",
  "onProgress",
  "signal",
  "settings",
];

export interface TrainResult {
  /** True if all steps were done; false if the signal ended the training. */
  readonly done: boolean;
  readonly step: number;
  /** Steps done before this run. */
  readonly begun: number;
  /** Seconds of training, over all runs. */
  readonly seconds: number;
  readonly epochs: readonly EpochRecord[];
  /** Means over the steps of the epoch that was interrupted; undefined if none was. */
  readonly interrupted: Omit<EpochRecord, "kind" | "validation"> | undefined;
  /** Evaluation on `validation` after the last epoch. */
  readonly validation: Evaluation | undefined;
}

/** Options of a training with their defaults. */
export type Options = TrainOptions &
  Required<Pick<TrainOptions, "batchSize" | "seed" | "labelSmoothing" | "logEvery">>;

/** @throws TypeError at an option that there is not; RangeError at options that make no sense. */
export function withDefaults(given: TrainOptions): Options {
  checkOptions("train", given, OPTIONS);
  const augment = augmentationOf(given.augment);
  checkOptions("lookahead", given.lookahead ?? {}, ["every", "decay"]);
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  const options: Options = {
    batchSize: 128,
    seed: 0,
    labelSmoothing: 0,
    logEvery: 50,
    ...(Object.fromEntries(named) as unknown as TrainOptions),
    augment,
  };
  const { epochs, steps, batchSize, logEvery, resume, out } = options;
  const fail = (what: string) => new RangeError(`train: ${what}`);
  if ((epochs === undefined) === (steps === undefined)) {
    throw fail(`either epochs or steps must be given; epochs is ${epochs} and steps is ${steps}.`);
  }
  for (const [name, value] of Object.entries({ epochs, steps, batchSize, logEvery })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      throw fail(`${name} must be a whole number ≥ 1, not ${value}.`);
    }
  }
  if (resume === true && out === undefined)
    throw fail("resume needs out, the folder with the checkpoint, or its path.");
  return options;
}

/** Settings of a training, for its report. */
export function settingsOf(options: Options, data: Dataset): Settings {
  const { model, optimizer, batchSize, seed, augment, labelSmoothing, epochs, steps, settings } = options;
  const precision = options.precision ?? deviceOf(model).precision;
  const state = [...optimizer.stateDict()].filter(([name]) => name.startsWith("groups.0."));
  return {
    ...settings,
    parameters: countParameters(model),
    images: data.length,
    ...(epochs === undefined ? { steps: steps! } : { epochs }),
    batchSize,
    seed,
    optimizer: optimizer.constructor.name,
    ...Object.fromEntries(state.map(([name, value]) => [name.slice("groups.0.".length), String(value.data)])),
    augment: JSON.stringify(augment ?? {}),
    labelSmoothing,
    ...(precision !== "f32" && { precision }),
  };
}

/** Preprocessing of the pixels that the trained net expects, if they have three colours or are grey. */
export function preprocessingOf({ model, normalization }: Options, data: Dataset): Preprocessing | undefined {
  const [, , C] = data.shape;
  if (C !== 3 && C !== 1) return undefined;
  const none = { mean: Array<number>(C).fill(0), std: Array<number>(C).fill(1) };
  if (model instanceof ResNet && model.preprocessing) return model.preprocessing;
  const { mean, std } = (normalization ?? data.normalization) || none;
  return { channels: C === 1 ? "grey" : "rgb", range: 1, mean: [...mean], std: [...std] };
}
