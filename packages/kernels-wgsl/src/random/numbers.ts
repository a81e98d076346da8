import { bits } from "../launch/bits.ts";
import { filling, type Kernel } from "../launch/kernel.ts";
import source from "./random.wgsl?raw";
import { POSITION, type Position, position, STREAM, type Stream } from "./stream.ts";

export type RandomParams = Position & Record<"length" | "first" | "second", number>;
/**
 * Random numbers: number i is a function of seed, offset and i alone.
 *
 * Holes: `distribution`, one of `DISTRIBUTIONS`; `Elem`, the type of y; `BITS`, of a uniform number.
 */
export const random: Kernel<RandomParams> = {
  name: "random",
  reads: [],
  writes: ["y"],
  params: {
    ...POSITION,
    length: "u32",
    first: "u32",
    second: "u32",
  },
  numbers: [...STREAM, "first", "second"],
  variants: { plain: { name: "blocks", source, workgroups: ({ length }) => filling(length / 4, 256) } },
  cost: ({ length }) => ({ flops: 0, bytes: 4 * length }),
};

/** Values of the hole `distribution`. */
export const DISTRIBUTIONS = {
  uniform: "uniform4(words)",
  normal: "vec4<Elem>(normal4(words))",
  integers: "vec4<Elem>(integer4(words))",
} as const;

/** Random bits of a uniform number: as many as its type holds exactly. */
export const uniformBits = (dtype: string): number => (dtype === "f16" ? 11 : 24);

/** Number of blocks of the stream that `length` numbers use. */
export const blocksOf = (length: number): number => Math.ceil(length / 4);

/** Uniform in [low, high). */
export function uniformParams(length: number, stream: Stream, low: number, high: number): RandomParams {
  return { ...position(stream), length, first: bits("f32", low), second: bits("f32", high - low) };
}

export function normalParams(length: number, stream: Stream, mean: number, std: number): RandomParams {
  return { ...position(stream), length, first: bits("f32", mean), second: bits("f32", std) };
}

/** Whole numbers in [low, high), which are at most 2³² − 1 apart. */
export function integerParams(length: number, stream: Stream, low: number, high: number): RandomParams {
  return { ...position(stream), length, first: bits("i32", low), second: bits("u32", high - low) };
}
