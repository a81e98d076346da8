import { bits } from "../launch/bits.ts";
import { filling, type Kernel } from "../launch/kernel.ts";
import dropoutSource from "./dropout.wgsl?raw";
import { philox } from "./philox.ts";
import source from "./random.wgsl?raw";

/** Where numbers come from: block `offset` and on, of the stream of a seed; both below 2⁵³. */
export interface Stream {
  readonly seed: number;
  readonly offset: number;
}

type Position = Record<"seedLow" | "seedHigh" | "offsetLow" | "offsetHigh", number>;
export type RandomParams = Position & Record<"length" | "first" | "second", number>;
export type DropoutParams = Position & Record<"length" | "threshold" | "scale", number>;

const STREAM = ["seedLow", "seedHigh", "offsetLow", "offsetHigh"];

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
    seedLow: "u32",
    seedHigh: "u32",
    offsetLow: "u32",
    offsetHigh: "u32",
    length: "u32",
    first: "u32",
    second: "u32",
  },
  numbers: [...STREAM, "first", "second"],
  variants: { plain: { name: "blocks", source, workgroups: ({ length }) => filling(length / 4, 256) } },
  cost: ({ length }) => ({ flops: 0, bytes: 4 * length }),
};

/** y = x / (1 − rate) with each element kept by chance 1 − rate, else 0. Hole: `Elem`. */
export const dropout: Kernel<DropoutParams> = {
  name: "dropout",
  reads: ["x"],
  writes: ["y"],
  params: {
    seedLow: "u32",
    seedHigh: "u32",
    offsetLow: "u32",
    offsetHigh: "u32",
    length: "u32",
    threshold: "u32",
    scale: "f32",
  },
  numbers: [...STREAM, "threshold"],
  variants: {
    plain: { name: "blocks", source: dropoutSource, workgroups: ({ length }) => filling(length / 4, 256) },
  },
  cost: ({ length }) => ({ flops: length, bytes: 8 * length }),
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

/** Drop with probability `rate`, to 24 bits. */
export function dropoutParams(length: number, stream: Stream, rate: number): DropoutParams {
  const threshold = Math.round(rate * 2 ** 24);
  return { ...position(stream), length, threshold, scale: rate === 1 ? 0 : 1 / (1 - rate) };
}

function position({ seed, offset }: Stream): Position {
  return {
    seedLow: seed >>> 0,
    seedHigh: Math.floor(seed / 2 ** 32) >>> 0,
    offsetLow: offset >>> 0,
    offsetHigh: Math.floor(offset / 2 ** 32) >>> 0,
  };
}

/** The definition: the 32-bit words of a stream. */
export function wordsReference(length: number, { seed, offset }: Stream): Uint32Array {
  const { seedLow, seedHigh } = position({ seed, offset });
  return Uint32Array.from({ length }, (_, i) => {
    const { offsetLow, offsetHigh } = position({ seed, offset: offset + Math.floor(i / 4) });
    return philox([offsetLow, offsetHigh, 0, 0], [seedLow, seedHigh])[i % 4]!;
  });
}

/** The definition, in float64. */
export function uniformReference(
  length: number,
  stream: Stream,
  low: number,
  high: number,
  bits = 24,
): Float64Array {
  return Float64Array.from(
    wordsReference(length, stream),
    (word) => low + ((high - low) * (word >>> (32 - bits))) / 2 ** bits,
  );
}

/** The definition, in float64. */
export function normalReference(length: number, stream: Stream, mean: number, std: number): Float64Array {
  const words = wordsReference(4 * blocksOf(length), stream);
  return Float64Array.from({ length }, (_, i) => {
    const pair = i & ~1;
    const radius = Math.sqrt(-2 * Math.log(((words[pair]! >>> 8) + 1) / 2 ** 24));
    const turn = words[pair + 1]!;
    const angle = ((turn >>> 30) + ((turn >>> 6) & 0xffffff) / 2 ** 24 - 0.5) * (Math.PI / 2);
    return mean + std * radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  });
}

/** The definition. */
export function integerReference(length: number, stream: Stream, low: number, high: number): Float64Array {
  return Float64Array.from(wordsReference(length, stream), (word) =>
    Number(BigInt(low) + ((BigInt(word) * BigInt(high - low)) >> 32n)),
  );
}

/** The definition, in float64. */
export function dropoutReference(x: ArrayLike<number>, stream: Stream, rate: number): Float64Array {
  const words = wordsReference(x.length, stream);
  const { threshold, scale } = dropoutParams(x.length, stream, rate);
  return Float64Array.from(x, (value, i) => (words[i]! >>> 8 >= threshold ? value * scale : 0));
}
