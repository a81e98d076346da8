import type { Problem } from "../app/messages.ts";
import type { Loading } from "../worker-client/messages/nets.ts";
import type { Curve, TestImages, TrainBegun, TrainSettings } from "../worker-client/messages/train.ts";
import { emptyFast, type FastState } from "./fast-state.ts";

/** Curve of the current training; it grows in place, since it is long. */
export interface GrowingCurve {
  steps: number[];
  loss: number[];
  accuracy: number[];
  test: { steps: number[]; accuracy: number[] };
}

/** An earlier training, for comparison. */
export interface Earlier {
  readonly label: string;
  readonly curve: Curve;
}

export interface TrainState {
  readonly settings: TrainSettings;
  readonly loading: Loading | undefined;
  readonly begun: TrainBegun | undefined;
  readonly is: "idle" | "getting ready" | "running" | "pausing";
  /** Progress of compiling pipelines. */
  readonly preparing: { readonly done: number; readonly of: number } | undefined;
  readonly step: number;
  readonly latest:
    | { readonly loss: number; readonly imagesPerSecond: number; readonly memory: number }
    | undefined;
  readonly validated:
    | {
        readonly step: number;
        readonly images: number;
        readonly accuracy: number;
        readonly guesses: Uint8Array;
        readonly confidence: Float32Array;
      }
    | undefined;
  readonly curve: GrowingCurve;
  /** Counts changes of the curve, which stays the same object. */
  readonly points: number;
  readonly earlier: readonly Earlier[];
  readonly test: TestImages | undefined;
  readonly problem: Problem | undefined;
  readonly note: { readonly title: string; readonly text: string } | undefined;
  /** Report of the steps that were done while the tab was hidden. */
  readonly missed: string | undefined;
  /** The preset beside it. */
  readonly fast: FastState;
}

export const emptyCurve = (): GrowingCurve => ({
  steps: [],
  loss: [],
  accuracy: [],
  test: { steps: [], accuracy: [] },
});

export const emptyTrain: TrainState = {
  settings: {
    data: "cifar10",
    images: 10_000,
    blocks: 1,
    width: 16,
    shortcuts: true,
    batchSize: 64,
    lr: 0.05,
    optimizer: "SGD",
    augment: true,
    seed: 1,
  },
  loading: undefined,
  begun: undefined,
  is: "idle",
  preparing: undefined,
  step: 0,
  latest: undefined,
  validated: undefined,
  curve: emptyCurve(),
  points: 0,
  earlier: [],
  test: undefined,
  problem: undefined,
  note: undefined,
  missed: undefined,
  fast: emptyFast,
};

/** Name of a training, by its settings. */
export function labelOf({ blocks, width, shortcuts, optimizer, lr, batchSize }: TrainSettings): string {
  return `${6 * blocks + 2} layers × ${width}, ${shortcuts ? "shortcuts" : "plain"}, ${optimizer} ${lr}, ${batchSize}`;
}
