/** Source of numbers: block `offset` and on, of the stream of a seed; both below 2⁵³. */
export interface Stream {
  readonly seed: number;
  readonly offset: number;
}

export type Position = Record<"seedLow" | "seedHigh" | "offsetLow" | "offsetHigh", number>;

/** Parameters of a kernel that say where in which stream it is. */
export const POSITION = { seedLow: "u32", seedHigh: "u32", offsetLow: "u32", offsetHigh: "u32" } as const;
export const STREAM = Object.keys(POSITION);

export function position({ seed, offset }: Stream): Position {
  return {
    seedLow: seed >>> 0,
    seedHigh: Math.floor(seed / 2 ** 32) >>> 0,
    offsetLow: offset >>> 0,
    offsetHigh: Math.floor(offset / 2 ** 32) >>> 0,
  };
}
