/** Choice of a variant of one kernel for one set of shapes. */
export interface TuningRow {
  readonly kernel: string;
  /** Shapes as text: `3×3/2 64→128 56×56 ×1`. */
  readonly shape: string;
  /** Launches per call. */
  readonly launches: number;
  readonly variant: string;
  /** Median time of one launch. */
  readonly microseconds: number;
  /** The kernel's preference, which is taken where nothing was measured. */
  readonly preferred: string;
  /** Other variants with the right result, the fastest first. */
  readonly others: readonly { readonly variant: string; readonly microseconds: number }[];
  /** Variants with a wrong result, or that do not run; never taken. */
  readonly rejected: readonly { readonly variant: string; readonly reason: string }[];
}

/** Outcome of `tune`. */
export interface Tuning {
  readonly adapter: string;
  readonly rows: readonly TuningRow[];
  readonly seconds: number;
  /** True if the signal stopped it before every choice was made. */
  readonly stopped: boolean;
  /** Place of the choices for later processes; undefined if they were not kept. */
  readonly kept: string | undefined;
  /** A table, 80 columns wide. */
  toString(): string;
}
