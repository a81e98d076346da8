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
