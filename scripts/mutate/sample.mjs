/**
 * The number of mutants, the seed that chooses them, and part of the paths of their files.
 *
 * @typedef {{ limit: number, seed: number, only: string }} Wanted
 */

/**
 * Numbers in [0, 1) that depend on the seed alone (Marsaglia's xorshift, 32 bits).
 *
 * @param {number} seed
 * @returns {Generator<number, never>}
 */
function* uniform(seed) {
  let state = (Math.imul(seed, 0x9e3779b9) ^ 0x85ebca6b) >>> 0 || 1;
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield (state >>> 0) / 2 ** 32;
  }
}

/**
 * `limit` elements of a list, in its order; the same for the same seed.
 *
 * @template T
 * @param {readonly T[]} list
 * @param {number} limit
 * @param {number} seed
 */
export function sample(list, limit, seed) {
  const random = uniform(seed);
  const keyed = list.map((element, index) => ({ element, index, key: random.next().value }));
  keyed.sort((a, b) => a.key - b.key);
  const kept = keyed.slice(0, limit);
  return kept.sort((a, b) => a.index - b.index).map(({ element }) => element);
}

/**
 * @typedef {{ line: number, column: number }} Position
 * @typedef {{ file: string, location: { start: Position, end: Position }, mutatorName: string, replacement: string }} Mutant
 */

/** @param {Mutant} mutant */
export const keyOf = ({ file, location: { start, end }, mutatorName, replacement }) =>
  JSON.stringify([file, start.line, start.column, end.line, end.column, mutatorName, replacement]);
