/**
 * Random whole numbers that depend on a key alone: the same in every run, in whatever order things are asked for.
 *
 * Each number is a counter, mixed until its bits say nothing of it (splitmix with murmur3's finaliser).
 */
export class Draws {
  #state = 0x9e3779b9;

  /** @param key whole numbers from 0 to 2⁵³ − 1: a seed, an epoch, the number of an image */
  constructor(...key: readonly number[]) {
    for (const part of key) {
      this.#state = mix(this.#state ^ (part >>> 0));
      this.#state = mix(this.#state + Math.floor(part / 2 ** 32));
    }
  }

  /** A whole number from 0 to `end` − 1, with `end` at most 2³². */
  below(end: number): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    return Math.floor((mix(this.#state) / 2 ** 32) * end);
  }
}

function mix(x: number): number {
  let y = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  y = Math.imul(y ^ (y >>> 13), 0xc2b2ae35);
  return (y ^ (y >>> 16)) >>> 0;
}

/** The order in which an epoch goes through a data set: a permutation of 0 … `length` − 1. */
export function shuffled(length: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  const draws = new Draws(seed, epoch);
  for (let last = length - 1; last > 0; last--) {
    const i = draws.below(last + 1);
    const swapped = order[last]!;
    order[last] = order[i]!;
    order[i] = swapped;
  }
  return order;
}
