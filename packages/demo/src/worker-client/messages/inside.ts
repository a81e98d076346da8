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
