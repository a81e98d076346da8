import type { benchmark } from "@shadegrad/bench";
import type { Guess, Preprocessing } from "@shadegrad/resnet";

/** Calls from the page to the worker: argument, answer, and progress messages. */
export interface Calls {
  open: { ask: null; answer: AdapterInfo; progress: never };
  loadNet: { ask: NetChoice; answer: NetInfo; progress: Loading };
  classify: { ask: { image: Blob }; answer: Classification; progress: StageTime };
  /** Classify a camera's frame, which is closed. */
  classifyFrame: { ask: { frame: VideoFrame | ImageBitmap }; answer: LiveAnswer; progress: never };
  /** Prepare a net and its data, from settings or from a checkpoint. */
  trainBegin: { ask: TrainBegin; answer: TrainBegun; progress: Loading };
  /** Train until this many steps are done, or until a pause. */
  trainRun: { ask: { steps: number }; answer: null; progress: TrainMessage };
  /** Stop after the current step. */
  trainPause: { ask: null; answer: null; progress: never };
  /** Load a net whose features the visitor's classes are told apart by. */
  teachOpen: { ask: { net: string }; answer: TeachBase; progress: Loading };
  /** Compute a picture's features, and keep them under a number. */
  teachAdd: { ask: { id: number; picture: TeachPicture }; answer: null; progress: never };
  teachRemove: { ask: { ids: readonly number[] }; answer: null; progress: never };
  /** Train the head, or the last stage with it, on the pictures that were added. */
  teachLearn: { ask: TeachLearn; answer: null; progress: TeachStep };
  /** Classify a picture by the visitor's classes. */
  teachTry: { ask: { picture: TeachPicture }; answer: LiveAnswer; progress: never };
  /** The net as a file. */
  teachExport: { ask: { format: "safetensors" | "onnx" }; answer: Blob; progress: never };
  /** Train the net of the fast recipe, from the beginning to its evaluation. */
  fastRun: { ask: FastRun; answer: FastReport; progress: FastMessage };
  /** Stop after the current step. */
  fastStop: { ask: null; answer: null; progress: never };
  fastWeights: { ask: null; answer: Blob; progress: never };
  /** Run the net on a picture and record each layer and kernel. */
  insideLook: { ask: { image: Blob }; answer: Inside; progress: never };
  /** Feature maps of a layer for that picture, one per channel. */
  insideMaps: { ask: { name: string; first: number }; answer: Tiles; progress: never };
  /** The weights of a convolution. */
  insideFilters: { ask: { name: string }; answer: Tiles; progress: never };
  /** Names of the benchmark's rows. */
  benchmarkRows: { ask: null; answer: readonly string[]; progress: never };
  /** Measure rows in turn, until all are done or `benchmarkStop` is called. */
  benchmarkRun: { ask: BenchmarkRun; answer: BenchmarkReport; progress: BenchmarkMessage };
  /** Stop after the current row. */
  benchmarkStop: { ask: null; answer: null; progress: never };
  /** Write a checkpoint of the training. */
  trainCheckpoint: { ask: { curve: Curve }; answer: Blob; progress: never };
}

export type Call = keyof Calls;

/** Messages that the worker sends without a call. */
export interface Notices {
  /** The device is lost, with all tensors on it. */
  lost: { message: string };
}

export type Notice = keyof Notices;

export type ToWorker = { [K in Call]: { id: number; call: K; ask: Calls[K]["ask"] } }[Call];

export type FromWorker =
  | { id: number; answer: unknown }
  | { id: number; progress: unknown }
  | { id: number; failed: Failure }
  | { [K in Notice]: { notice: K; body: Notices[K] } }[Notice];

/** An error, as it is sent to the page. */
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

/** One of the page's nets by its id, or files of the visitor. */
export type NetChoice = { readonly bundled: string } | { readonly files: readonly File[] };

export interface NetInfo {
  /** `ResNet-50`, or the name of the file. */
  readonly title: string;
  /** Source of the weights. */
  readonly from: "network" | "cache" | "file";
  /** Reason why the browser did not cache them; undefined if it did. */
  readonly notCached?: string | undefined;
  readonly parameters: number;
  readonly classes: number;
  /** Height and width of the input, in pixels. */
  readonly side: number;
  /** Stages of residual blocks. */
  readonly stages: number;
  readonly milliseconds: number;
}

/** Progress of loading, in bytes. */
export interface Loading {
  readonly phase: "fetch" | "upload";
  readonly bytes: number;
  readonly of: number;
}

/** Time of a stage of a classification: decode, resize, the net's stages. */
export interface StageTime {
  readonly name: string;
  readonly milliseconds: number;
}

export interface Classification {
  readonly top: readonly Guess[];
  readonly stages: readonly StageTime[];
  /** Total time, from the picture's bytes to the classes. */
  readonly milliseconds: number;
  /** The crop that the net classified, as RGBA. */
  readonly crop: { readonly side: number; readonly pixels: Uint8ClampedArray<ArrayBuffer> };
  readonly adapter: string;
  readonly net: string;
}

/** Classes of a camera's frame, and the time from its pixels to them. */
export interface LiveAnswer {
  readonly top: readonly Guess[];
  readonly milliseconds: number;
}

/** Files in the page's folder; the build writes this as `bundled-assets.json`. */
export interface BundledAssets {
  readonly nets: readonly BundledNet[];
  readonly samples: readonly Sample[];
  readonly cifar10: {
    readonly train: readonly AssetFile[];
    readonly test: AssetFile;
    readonly labels: readonly AssetFile[];
  } | null;
}

export interface AssetFile {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256, in hexadecimal. */
  readonly hash: string;
}

export interface BundledNet {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** Weights, as `loadCheckpoint` takes them. */
  readonly files: readonly AssetFile[];
  /** Class names, if the weights have none. */
  readonly labels?: AssetFile | undefined;
}

export interface Sample {
  readonly path: string;
  readonly title: string;
  /** Description of the picture, for screen readers. */
  readonly alt: string;
}

export type { Guess, Preprocessing };

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

/** A picture to learn from: a file, or a camera's frame, which is closed. */
export type TeachPicture = Blob | VideoFrame | ImageBitmap;

/** The net whose features are used. */
export interface TeachBase {
  readonly title: string;
  readonly parameters: number;
  /** Numbers that describe a picture. */
  readonly features: number;
  /** Height and width of the input, in pixels. */
  readonly side: number;
}

export interface TeachLearn {
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Numbers of the pictures, and the class of each. */
  readonly examples: readonly { readonly id: number; readonly label: number }[];
  readonly part: "head" | "last stage";
}

/** A step of learning. */
export interface TeachStep {
  readonly step: number;
  readonly of: number;
  readonly loss: number;
  /** Share of the pictures learned from that are right, from 0 to 1. */
  readonly accuracy: number;
  /** The same of pictures kept for testing; undefined where there are too few pictures for that. */
  readonly tested: { readonly accuracy: number; readonly pictures: number } | undefined;
}

/** Record of a net's run on a picture. */
export interface Inside {
  readonly net: string;
  readonly adapter: string;
  readonly parts: readonly InsidePart[];
  readonly kernels: readonly InsideKernel[];
  /** True if timestamps of the device timed each kernel; if not, the parts were timed by the clock. */
  readonly isTimed: boolean;
  readonly milliseconds: number;
  /** Peak throughput of the adapter, measured. */
  readonly peak: { readonly gflops: number; readonly gbytes: number };
}

/** The stem, a block, or the head. */
export interface InsidePart {
  readonly name: string;
  readonly title: string;
  /** Index of the stage, from 0; undefined for stem and head. */
  readonly stage: number | undefined;
  /** Kind of the shortcut; `changing` has another shape at its end. */
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
  /** Height and width of a convolution's window. */
  readonly window: readonly number[] | undefined;
}

/** Launch of a kernel. */
export interface InsideKernel {
  readonly kernel: string;
  readonly variant: string;
  /** Index of its part. */
  readonly part: number;
  readonly microseconds: number | undefined;
  readonly flops: number;
  readonly bytes: number;
}

/** A grid of small pictures. */
export interface Tiles {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
  /** Total number of tiles; `shown` of them are drawn, from `first` on. */
  readonly count: number;
  readonly first: number;
  readonly shown: number;
  readonly columns: number;
  /** Size of a tile. */
  readonly tile: readonly [height: number, width: number];
  readonly about: string;
}

/** Report in the format of `npm run bench -- --json`. */
export type BenchmarkReport = Awaited<ReturnType<typeof benchmark>>;

export type BenchmarkResult = BenchmarkReport["rows"][number];

export interface BenchmarkRun {
  /** Names of the rows to measure. */
  readonly names: readonly string[];
  /** True to measure each variant that fits, not only the chosen one. */
  readonly variants: boolean;
}

export type BenchmarkMessage =
  /** The adapter and its peaks, without rows. */
  | { readonly kind: "start"; readonly report: BenchmarkReport }
  /** The row that is measured next. */
  | { readonly kind: "row"; readonly name: string }
  | { readonly kind: "result"; readonly result: BenchmarkResult };
