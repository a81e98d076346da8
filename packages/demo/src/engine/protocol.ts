import type { benchmark } from "@shadegrad/bench";
import type { Guess, Preprocessing } from "@shadegrad/resnet";

/** What the page asks of the worker: of each call, what it takes, answers and tells on the way. */
export interface Calls {
  open: { ask: null; answer: AdapterInfo; told: never };
  loadNet: { ask: NetChoice; answer: NetInfo; told: Loading };
  classify: { ask: { image: Blob }; answer: Classification; told: Stage };
  /** Make a net and its data ready; or go on from a checkpoint, in whose place no settings are needed. */
  trainBegin: { ask: TrainBegin; answer: TrainBegun; told: Loading };
  /** Train until so many steps are done, or until a pause. */
  trainRun: { ask: { steps: number }; answer: null; told: TrainTold };
  /** Let the step that runs be the last. */
  trainPause: { ask: null; answer: null; told: never };
  /** Run the net on a picture and note everything. */
  insideLook: { ask: { image: Blob }; answer: Inside; told: never };
  /** What a layer put out for that picture, channel by channel. */
  insideMaps: { ask: { name: string; first: number }; answer: Tiles; told: never };
  /** The weights of a convolution. */
  insideFilters: { ask: { name: string }; answer: Tiles; told: never };
  /** Names of what can be measured. */
  benchmarkRows: { ask: null; answer: readonly string[]; told: never };
  /** Measure rows, one after the other, until all are done or it is stopped. */
  benchmarkRun: { ask: BenchmarkRun; answer: BenchmarkReport; told: BenchmarkTold };
  /** Let the row that is being measured be the last. */
  benchmarkStop: { ask: null; answer: null; told: never };
  /** All that is needed to go on, as one file. */
  trainCheckpoint: { ask: { curve: Curve }; answer: Blob; told: never };
}

export type Call = keyof Calls;

/** What the worker tells by itself. */
export interface Notices {
  /** The device is gone, with all that was on it. */
  lost: { message: string };
}

export type Notice = keyof Notices;

export type ToWorker = { [K in Call]: { id: number; call: K; ask: Calls[K]["ask"] } }[Call];

export type FromWorker =
  | { id: number; answer: unknown }
  | { id: number; told: unknown }
  | { id: number; failed: Failure }
  | { [K in Notice]: { notice: K; body: Notices[K] } }[Notice];

/** An error, as it travels. */
export interface Failure {
  /** DeviceError, FormatError, ShapeError or another class. */
  readonly name: string;
  readonly message: string;
}

export interface AdapterInfo {
  readonly name: string;
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: { readonly buffer: number; readonly workgroupMemory: number; readonly workgroup: number };
}

/** A net that lies beside the page, or a file of the visitor's. */
export type NetChoice = { readonly beside: string } | { readonly files: readonly File[] };

export interface NetInfo {
  /** `ResNet-50`, or the name of the file. */
  readonly title: string;
  /** Where the weights came from this time. */
  readonly from: "network" | "kept" | "file";
  /** Why they could not be kept in the browser, if they could not. */
  readonly notKept?: string | undefined;
  readonly parameters: number;
  readonly classes: number;
  /** Side of the square that it takes. */
  readonly side: number;
  /** Stages of residual blocks. */
  readonly stages: number;
  readonly milliseconds: number;
}

/** How far the loading of a net is. */
export interface Loading {
  readonly phase: "fetch" | "upload";
  readonly bytes: number;
  readonly of: number;
}

/** A part of the way from a picture to its classes. */
export interface Stage {
  readonly name: string;
  readonly milliseconds: number;
}

export interface Classification {
  readonly top: readonly Guess[];
  readonly stages: readonly Stage[];
  /** From the picture's bytes to the classes. */
  readonly milliseconds: number;
  /** What the net was given to see. */
  readonly crop: { readonly side: number; readonly pixels: Uint8ClampedArray<ArrayBuffer> };
  readonly adapter: string;
  readonly net: string;
}

/** What lies beside the page, with sizes: written by the build as `beside.json`. */
export interface Beside {
  readonly nets: readonly BesideNet[];
  readonly samples: readonly Sample[];
  readonly cifar10: {
    readonly train: readonly BesideFile[];
    readonly test: BesideFile;
    readonly labels: readonly BesideFile[];
  } | null;
}

export interface BesideFile {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256, in hexadecimal. */
  readonly hash: string;
}

export interface BesideNet {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** Weights, as `loadCheckpoint` takes them. */
  readonly files: readonly BesideFile[];
  /** Names of the classes, where the file has none. */
  readonly labels?: BesideFile | undefined;
}

export interface Sample {
  readonly path: string;
  readonly title: string;
  /** What is to be seen, for who cannot. */
  readonly alt: string;
}

export type { Guess, Preprocessing };

/** What a training is begun with. */
export interface TrainSettings {
  readonly data: "cifar10" | "shapes";
  /** Images to learn from. */
  readonly images: number;
  /** Blocks a stage: 6n + 2 layers. */
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

/** `last`: where the training was that the device was lost with. */
export type TrainBegin = { readonly settings: TrainSettings } | { readonly from: File | "last" };

export interface TrainBegun {
  readonly settings: TrainSettings;
  readonly layers: number;
  readonly parameters: number;
  /** Steps done before. */
  readonly step: number;
  readonly perEpoch: number;
  readonly curve: Curve;
  readonly classes: readonly string[];
  readonly test: TestImages;
}

/** Images of the test set that the page shows: RGBA, one after the other. */
export interface TestImages {
  readonly side: number;
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
  readonly labels: Uint8Array;
}

/** What is drawn of a training; each list has an entry for each step that is told of. */
export interface Curve {
  readonly steps: readonly number[];
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly test: { readonly steps: readonly number[]; readonly accuracy: readonly number[] };
}

export type TrainTold =
  | {
      readonly kind: "step";
      readonly step: number;
      readonly loss: number;
      /** Share of the batch that was classified rightly, before the step. */
      readonly accuracy: number;
      readonly imagesPerSecond: number;
      /** Bytes on the device. */
      readonly memory: number;
    }
  | {
      readonly kind: "test";
      readonly step: number;
      /** Over so many images of the test set. */
      readonly images: number;
      readonly accuracy: number;
      /** Of those that the page shows: the class, and how likely the net finds it. */
      readonly guesses: Uint8Array;
      readonly sureness: Float32Array;
    }
  | { readonly kind: "preparing"; readonly done: number; readonly of: number };

/** A net, as it ran on a picture. */
export interface Inside {
  readonly net: string;
  readonly adapter: string;
  readonly parts: readonly InsidePart[];
  readonly kernels: readonly InsideKernel[];
  /** Whether kernels were timed by the device itself; if not, parts were, from outside. */
  readonly isTimed: boolean;
  readonly milliseconds: number;
  /** What the adapter reached with nothing else to do. */
  readonly peak: { readonly gflops: number; readonly gbytes: number };
}

/** The stem, a block, or the head. */
export interface InsidePart {
  readonly name: string;
  readonly title: string;
  /** From 0; undefined for stem and head. */
  readonly stage: number | undefined;
  /** Whether a shortcut leads around it, and whether that changes the shape. */
  readonly shortcut: "none" | "identity" | "changing";
  readonly shape: readonly number[];
  readonly layers: readonly InsideLayer[];
  readonly milliseconds: number;
}

export interface InsideLayer {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly parameters: number;
  readonly multiplyAdds: number;
  readonly bytes: number;
  /** Sides of the window of a convolution. */
  readonly window: readonly number[] | undefined;
}

/** A kernel that was launched. */
export interface InsideKernel {
  readonly kernel: string;
  readonly variant: string;
  /** Which part it belongs to. */
  readonly part: number;
  readonly microseconds: number | undefined;
  readonly flops: number;
  readonly bytes: number;
}

/** Small pictures side by side, as one. */
export interface Tiles {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
  /** What there are in all, of which some are shown from `first` on. */
  readonly count: number;
  readonly first: number;
  readonly shown: number;
  readonly columns: number;
  /** Sides of one. */
  readonly tile: readonly [height: number, width: number];
  readonly about: string;
}

/** What `npm run bench` writes as well. */
export type BenchmarkReport = Awaited<ReturnType<typeof benchmark>>;

export type BenchmarkResult = BenchmarkReport["rows"][number];

export interface BenchmarkRun {
  /** Of rows. */
  readonly names: readonly string[];
  /** Whether each variant that could do it is measured, and not only the one that is chosen. */
  readonly variants: boolean;
}

export type BenchmarkTold =
  /** The adapter and its peaks; no rows yet. */
  | { readonly kind: "start"; readonly report: BenchmarkReport }
  /** A row is being measured from here on. */
  | { readonly kind: "row"; readonly name: string }
  | { readonly kind: "result"; readonly result: BenchmarkResult };
