import type { Loading } from "./nets.ts";

/** Settings of a training. */
export interface TrainSettings {
  readonly data: "cifar10" | "shapes";
  /** Number of training images. */
  readonly images: number;
  /** Blocks per stage: n of the paper's 6n + 2 layers. */
  readonly blocks: number;
  /** Channels of the first stage. */
  readonly width: number;
  readonly shortcuts: boolean;
  readonly batchSize: number;
  readonly lr: number;
  readonly optimizer: "SGD" | "Adam" | "AdamW";
  readonly augment: boolean;
  readonly seed: number;
}

/** `last`: the copy in memory of the training whose device was lost. */
export type TrainBegin = { readonly settings: TrainSettings } | { readonly from: File | "last" };

export interface TrainBegun {
  readonly settings: TrainSettings;
  readonly layers: number;
  readonly parameters: number;
  /** Number of steps done before. */
  readonly step: number;
  readonly perEpoch: number;
  readonly curve: Curve;
  readonly classes: readonly string[];
  readonly test: TestImages;
}

/** Test images that the page shows: `[count, side, side, 4]` bytes. */
export interface TestImages {
  readonly side: number;
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
  readonly labels: Uint8Array;
}

/** Curve of a training: one entry per reported step. */
export interface Curve {
  readonly steps: readonly number[];
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly test: { readonly steps: readonly number[]; readonly accuracy: readonly number[] };
}

export type TrainMessage =
  | {
      readonly kind: "step";
      readonly step: number;
      readonly loss: number;
      /** Accuracy on the batch before the step, from 0 to 1. */
      readonly accuracy: number;
      readonly imagesPerSecond: number;
      /** Bytes allocated on the device. */
      readonly memory: number;
    }
  | {
      readonly kind: "test";
      readonly step: number;
      /** Number of test images. */
      readonly images: number;
      readonly accuracy: number;
      /** Predicted class of each image shown, and its probability in `confidence`. */
      readonly guesses: Uint8Array;
      readonly confidence: Float32Array;
    }
  | { readonly kind: "preparing"; readonly done: number; readonly of: number };

export interface FastRun {
  readonly data: TrainSettings["data"];
  readonly seed: number;
  readonly batchSize: number;
}

export type FastMessage =
  | { readonly kind: "loading"; readonly loading: Loading }
  | { readonly kind: "ready"; readonly steps: number }
  | {
      readonly kind: "step";
      readonly step: number;
      readonly loss: number;
      readonly imagesPerSecond: number;
      readonly secondsLeft: number | undefined;
    }
  | { readonly kind: "evaluating" };

export interface FastReport {
  readonly step: number;
  /** Seconds of training, without the data's way and the evaluation. */
  readonly seconds: number;
  readonly adapter: string;
  /** On the test images, each seen with its mirror image; undefined if it was stopped before. */
  readonly accuracy: number | undefined;
  readonly images: number;
}
