import type { Problem } from "../app/messages.ts";
import type { Curve, Loading, TestImages, TrainBegun, TrainSettings } from "../engine/protocol.ts";

/** What is drawn of a training; it grows in place, for it is long. */
export interface GrowingCurve {
  steps: number[];
  loss: number[];
  accuracy: number[];
  test: { steps: number[]; accuracy: number[] };
}

/** A training of before, to compare with. */
export interface Earlier {
  readonly label: string;
  readonly curve: Curve;
}

export interface TrainState {
  readonly settings: TrainSettings;
  readonly loading: Loading | undefined;
  readonly begun: TrainBegun | undefined;
  readonly is: "idle" | "getting ready" | "running" | "pausing";
  /** Pipelines that are being compiled. */
  readonly preparing: { readonly done: number; readonly of: number } | undefined;
  readonly step: number;
  readonly latest:
    | { readonly loss: number; readonly imagesPerSecond: number; readonly memory: number }
    | undefined;
  readonly judged:
    | {
        readonly step: number;
        readonly images: number;
        readonly accuracy: number;
        readonly guesses: Uint8Array;
        readonly sureness: Float32Array;
      }
    | undefined;
  readonly curve: GrowingCurve;
  /** Counts what was added to the curve, which is the same object. */
  readonly points: number;
  readonly earlier: readonly Earlier[];
  readonly test: TestImages | undefined;
  readonly problem: Problem | undefined;
  readonly note: { readonly title: string; readonly text: string } | undefined;
  /** What was done while nobody saw the page. */
  readonly missed: string | undefined;
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
  judged: undefined,
  curve: emptyCurve(),
  points: 0,
  earlier: [],
  test: undefined,
  problem: undefined,
  note: undefined,
  missed: undefined,
};

/** What a training is called beside others. */
export function labelOf({ blocks, width, shortcuts, optimizer, lr, batchSize }: TrainSettings): string {
  return `${6 * blocks + 2} layers × ${width}, ${shortcuts ? "shortcuts" : "plain"}, ${optimizer} ${lr}, ${batchSize}`;
}
