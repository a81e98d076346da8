/** Where numbers come from: block `offset` and on, of the stream of a seed; both below 2⁵³. */
export interface Stream {
  readonly seed: number;
  readonly offset: number;
}

export type Position = Record<"seedLow" | "seedHigh" | "offsetLow" | "offsetHigh", number>;

export const STREAM = ["seedLow", "seedHigh", "offsetLow", "offsetHigh"];

export function position({ seed, offset }: Stream): Position {
  return {
    seedLow: seed >>> 0,
    seedHigh: Math.floor(seed / 2 ** 32) >>> 0,
    offsetLow: offset >>> 0,
    offsetHigh: Math.floor(offset / 2 ** 32) >>> 0,
  };
}
