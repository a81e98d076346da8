/**
 * Reproducible values in [-1, 1): zeros would flatter a kernel on some adapters.
 *
 * @param {number} length
 * @param {number} seed
 */
export function randomValues(length, seed) {
  let state = (seed * 2654435761) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}
