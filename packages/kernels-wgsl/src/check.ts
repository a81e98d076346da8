import type { Epilogue } from "./launch/epilogue.ts";
import type { Holes, Kernel, ParamValues } from "./launch/kernel.ts";

export type Values = Float32Array | Int32Array | Uint32Array;

/** One launch with known contents, and what must come out. */
export interface Case<P extends ParamValues = ParamValues> {
  readonly name: string;
  readonly params: P;
  readonly holes?: Holes;
  readonly epilogue?: Epilogue;
  /** Contents of the `reads` bindings, of those for an epilogue only the ones that it has. */
  readonly reads: readonly Values[];
  /** Contents of the `writes` bindings before the launch. */
  readonly writes: readonly Values[];
  /** Contents of the `writes` bindings after it, by the float64 reference; null: not compared. */
  readonly expected: readonly (ArrayLike<number> | null)[];
  /** Relative L2 error allowed, 1e-5 if absent. */
  readonly tolerance?: number;
  /** Search it for races, in place of the case that would be chosen: a loop must turn twice to race with itself. Of several, the smallest. */
  readonly races?: boolean;
  /** True if it is meaningful with `alias Elem = f16`, at 2e-3; true if absent. */
  readonly half?: boolean;
}

/**
 * Export `checks` of a folder's `check.ts`: every variant of `kernel` is compiled, its layout
 * compared, searched for races and run on each case that it fits.
 */
export interface Check<P extends ParamValues = ParamValues> {
  readonly kernel: Kernel<P>;
  cases(): Case<P>[];
}

/** A check among others of other kernels. */
export const check = <P extends ParamValues>(kernel: Kernel<P>, cases: () => Case<P>[]): Check =>
  ({ kernel, cases }) as unknown as Check;

/** Reproducible values in [-1, 1) that float32 holds exactly. */
export function randomValues(length: number, seed = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}
