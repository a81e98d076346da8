import type { ParamType } from "../launch/kernel.ts";

/**
 * A convolution's shapes: N batch · H W image · C channels in · R S window · O channels out · P Q
 * output. `w` is [R, S, C / groups, O]. Zeros beyond the bottom and the right edge follow from P and Q.
 */
export type Conv2dParams = Record<
  | "N"
  | "H"
  | "W"
  | "C"
  | "R"
  | "S"
  | "O"
  | "P"
  | "Q"
  | "strideRows"
  | "strideCols"
  | "padTop"
  | "padLeft"
  | "dilationRows"
  | "dilationCols"
  | "groups",
  number
>;

export const conv2dParams: { readonly [K in keyof Conv2dParams]: ParamType } = {
  N: "u32",
  H: "u32",
  W: "u32",
  C: "u32",
  R: "u32",
  S: "u32",
  O: "u32",
  P: "u32",
  Q: "u32",
  strideRows: "u32",
  strideCols: "u32",
  padTop: "u32",
  padLeft: "u32",
  dilationRows: "u32",
  dilationCols: "u32",
  groups: "u32",
};

/** Elements of w. */
export const weights = ({ R, S, C, O, groups }: Conv2dParams): number => (R * S * C * O) / groups;

/** Multiplications and additions of each of the three directions, padding counted, and bytes touched. */
export function conv2dCost({ N, H, W, C, R, S, O, P, Q, groups }: Conv2dParams): {
  flops: number;
  bytes: number;
} {
  const inputs = C / groups;
  return {
    flops: 2 * N * P * Q * R * S * inputs * O,
    bytes: 4 * (N * H * W * C + R * S * inputs * O + N * P * Q * O),
  };
}

/** Workgroup memory holds a slice of a square tile of so many outputs a side. */
export const TILE = 64;

/** Tiles in workgroup memory, unless a group has too few columns to fill one. */
export const tiledOrDirect = (columns: number): string => (columns < 8 ? "direct" : "tiled");
