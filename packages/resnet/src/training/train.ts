import type { Precision } from "@shadegrad/tensor";
import type { Layer } from "@shadegrad/tensor/nn";
import type { Schedule } from "@shadegrad/tensor/optim";
import type { Augmentation, DataInput, InputOptions } from "../data/index.ts";
import type { Evaluation } from "./evaluate.ts";
import type { EpochRecord, ProgressEvent, Settings } from "./records.ts";
import type { AnyOptimizer } from "./step.ts";
import { Training } from "./training.ts";

/** When slow weights follow, and how slowly. */
export interface LookaheadOptions {
  /** Steps between two updates. */
  readonly every: number;
  /** Share of the slow weights that stays, at the update after so many steps. */
  decay(steps: number): number;
}

export interface TrainOptions extends Pick<InputOptions, "crop" | "normalization"> {
  model: Layer & object;
  data: DataInput;
  /** What the net is judged by after each epoch; never learned from. */
  validation?: DataInput | undefined;
  /** How often all the data are gone through. Either this or `steps` is given. */
  epochs?: number | undefined;
  /** How many batches are learned from, wherever in an epoch that ends. */
  steps?: number | undefined;
  batchSize?: number;
  optimizer: AnyOptimizer;
  /** The learning rate of each step, counted from 0, a function of that alone; the optimizer's own if absent. */
  schedule?: Schedule | undefined;
  /** Decides the order of the images and how they are varied; and dropout, if it has no generator of its own. */
  seed?: number;
  augment?: Augmentation | undefined;
  /** Share of the target that is spread over all classes. */
  labelSmoothing?: number;
  /** How much faster or slower than the schedule each of the optimizer's groups learns: 1 for all if absent. */
  rateFactors?: readonly number[] | undefined;
  /** Slow weights that take over every few steps, and at the end (see `Lookahead`). */
  lookahead?: LookaheadOptions | undefined;
  /**
   * Whether images, which then have to be bytes in memory, are kept on the GPU, and are cut out, mirrored and normalised
   * there: no pixel travels in a step.
   */
  onDevice?: boolean | undefined;
  /**
   * Whether a step is recorded once and then repeated (see `compile`), rather than run op by op. True, unless the
   * optimizer is one's own; false is for models that decide anew on the host at each step.
   */
  compile?: boolean | undefined;
  /**
   * What products are computed with: the device's own precision if absent. With f16, weights and optimizer stay f32, and
   * losses are scaled (see `LossScaler`), for which the optimizer has to be SGD, Adam or AdamW.
   */
  precision?: Precision | undefined;
  /** Folder, in Node, for checkpoint, weights, metrics and report. Nothing is written if absent. */
  out?: string | undefined;
  /**
   * Go on from the checkpoint in `out`, if there is one; from another, if this is its path. The settings have to be those
   * of the training so far; the number of steps may be another where the rates so far would have been the same.
   */
  resume?: boolean | string;
  /** Steps between two lines of `metrics.jsonl`. */
  logEvery?: number;
  /** Told how it goes, about once a second; in Node, a line per epoch on standard error if absent. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Ends the training after the step that runs, with a checkpoint. */
  signal?: AbortSignal | undefined;
  /** What else the report shall tell of: the model's name, the command. */
  settings?: Settings;
}

export interface TrainResult {
  /** Whether all steps were done; false if the signal ended it. */
  readonly done: boolean;
  readonly step: number;
  /** Steps that were done before this run. */
  readonly begun: number;
  /** Seconds of training, over all runs. */
  readonly seconds: number;
  readonly epochs: readonly EpochRecord[];
  /** By `validation`, after the last epoch. */
  readonly validation: Evaluation | undefined;
}

/**
 * Train a classifier: epochs in an order of their own, varied images, a schedule; and after each epoch a checkpoint from
 * which the training can go on to the very same weights.
 *
 * With `out`: `checkpoint.safetensors`, everything needed to go on; `model.safetensors`, the weights, under torchvision's
 * names if it is a ResNet; `metrics.jsonl`, a line every `logEvery` steps and every epoch; `report.html`.
 *
 * @throws Error if the loss, of training or validation, or a weight becomes NaN, with the op that made the first one;
 * SettingsError if a checkpoint was made with other settings, with all of them; FormatError if it does not fit;
 * DeviceError if the device is lost, after which the training can go on from its checkpoint on another.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const training = await Training.begin(options);
  try {
    return await training.run();
  } finally {
    training.dispose();
  }
}
