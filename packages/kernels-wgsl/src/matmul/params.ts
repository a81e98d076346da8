import type { Quad } from "../axes.ts";

/**
 * Sizes of the batch axes, last one first and filled with 1, and the strides of a and b along them;
 * the sizes of the product; and how many elements apart rows and columns lie.
 */
export type MatmulParams = Record<"batch" | "aBatch" | "bBatch", Quad> &
  Record<"M" | "N" | "K" | "aRow" | "aCol" | "bRow" | "bCol", number>;
