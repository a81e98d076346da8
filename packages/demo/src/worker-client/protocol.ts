import type { BenchmarkMessage, BenchmarkReport, BenchmarkRun } from "./messages/benchmark.ts";
import type { Classification, LiveAnswer, StageTime } from "./messages/classify.ts";
import type { Inside, Tiles } from "./messages/inside.ts";
import type { Loading, NetChoice, NetInfo } from "./messages/nets.ts";
import type { TeachBase, TeachLearn, TeachPicture, TeachStep } from "./messages/teach.ts";
import type {
  Curve,
  FastMessage,
  FastReport,
  FastRun,
  TrainBegin,
  TrainBegun,
  TrainMessage,
} from "./messages/train.ts";

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
  /** Stop learning after the current step, with what is learned. */
  teachStop: { ask: null; answer: null; progress: never };
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
