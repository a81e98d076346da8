import type { Guess, Preprocessing } from "@shadegrad/resnet";

/** What the page asks of the worker: of each call, what it takes, answers and tells on the way. */
export interface Calls {
  open: { ask: null; answer: AdapterInfo; told: never };
  loadNet: { ask: NetChoice; answer: NetInfo; told: Loading };
  classify: { ask: { image: Blob }; answer: Classification; told: Stage };
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
