import { quartiles } from "../quartiles.mjs";

/** Microseconds to which browsers round the GPU's clock (Dawn, 2¹⁶ ns) and the page's. */
const ROUNDED_TO = [65.536, 100];

/** Number of clock steps in a time from which its rounding is negligible. */
const MANY = 20;

/**
 * The median of times, and how far the quartiles are apart, as a part of it. Where the clock is too coarse for them it is
 * the mean: rounding cancels out over many runs, while a median stays on a multiple of the clock's step, maybe 0.
 *
 * @param {readonly number[]} times in microseconds
 * @returns {{ microseconds: number, spread: number }}
 */
export function typical(times) {
  const [low, median, high] = quartiles(times);
  const isCoarse = ROUNDED_TO.some(
    (step) => median < MANY * step && times.every((time) => isMultiple(time, step)),
  );
  const microseconds = isCoarse ? times.reduce((sum, time) => sum + time, 0) / times.length : median;
  return { microseconds, spread: (high - low) / microseconds };
}

/** @param {number} time @param {number} step */
const isMultiple = (time, step) => Math.abs(time / step - Math.round(time / step)) < 1e-6;
