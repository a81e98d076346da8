/** A line of `metrics.jsonl`. Epochs are counted from 1; `seconds` are of training, over all runs. */
export type MetricsRecord = StartRecord | StepRecord | EpochRecord;

/** Start or resume of a run after `step` steps. */
export interface StartRecord {
  readonly kind: "start";
  readonly step: number;
  readonly adapter: string;
  readonly settings: Settings;
}

/** Means over the steps since the previous record. */
export interface StepRecord {
  readonly kind: "step";
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  /** Share of the augmented images that were classified correctly, from 0 to 1. */
  readonly accuracy: number;
  readonly lr: number;
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

/** Means over an epoch; `validation` after it. */
export interface EpochRecord {
  readonly kind: "epoch";
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly seconds: number;
  readonly validation?: { readonly loss: number; readonly top1: number; readonly top5: number };
}

/** Settings of a run, by name. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** An event for `onProgress`: about once a second in an epoch, and after each. */
export type ProgressEvent =
  | (StepRecord & {
      /** Totals of epochs and steps. */
      readonly epochs: number;
      readonly steps: number;
      /** Finished part of the epoch, from 0 to 1. */
      readonly part: number;
      /** Seconds left at the speed so far; undefined until it is known. */
      readonly secondsLeft: number | undefined;
    })
  | (EpochRecord & { readonly epochs: number; readonly steps: number })
  | { readonly kind: "validation"; readonly epoch: number; readonly images: number; readonly of: number };
