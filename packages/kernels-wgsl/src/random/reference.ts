import { dropoutParams } from "./dropout.ts";
import { blocksOf } from "./numbers.ts";
import { philox } from "./philox.ts";
import { position, type Stream } from "./stream.ts";

/** The definition: the 32-bit words of a stream. */
export function wordsReference(length: number, { seed, offset }: Stream): Uint32Array {
  const { seedLow, seedHigh } = position({ seed, offset });
  const words = new Uint32Array(Math.ceil(length / 4) * 4);
  for (let block = 0; 4 * block < length; block++) {
    const { offsetLow, offsetHigh } = position({ seed, offset: offset + block });
    words.set(philox([offsetLow, offsetHigh, 0, 0], [seedLow, seedHigh]), 4 * block);
  }
  return words.slice(0, length);
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
