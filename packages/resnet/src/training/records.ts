/** A line of `metrics.jsonl`. Epochs are counted from 1; `seconds` are of training, over all runs. */
export type MetricsRecord = StartRecord | StepRecord | EpochRecord;

/** A run begins, or goes on: after so many steps, where, and with which settings. */
export interface StartRecord {
  readonly kind: "start";
  readonly step: number;
  readonly adapter: string;
  readonly settings: Settings;
}

/** Over the steps since the record before. */
export interface StepRecord {
  readonly kind: "step";
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  /** Share of the images, augmented as they are, that were classified rightly, from 0 to 1. */
  readonly accuracy: number;
  readonly lr: number;
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

/** Over the epoch; `validation` after it. */
export interface EpochRecord {
  readonly kind: "epoch";
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly seconds: number;
  readonly validation?: { readonly loss: number; readonly top1: number; readonly top5: number };
}

/** What a run was started with, for people. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** What whoever watches a training is told: now and then while an epoch runs, and after each. */
export type ProgressEvent =
  | (StepRecord & {
      /** Epochs and steps there will be. */
      readonly epochs: number;
      readonly steps: number;
      /** Part of the epoch that is done, from 0 to 1. */
      readonly part: number;
      /** Till the end, by the speed so far; undefined until it is known. */
      readonly secondsLeft: number | undefined;
    })
  | (EpochRecord & { readonly epochs: number; readonly steps: number })
  | { readonly kind: "validation"; readonly epoch: number; readonly images: number; readonly of: number };
