/**
 * @typedef {import("./benchmark.mjs").Result} Result
 * @typedef {import("./benchmark.mjs").Report} Report
 */

/**
 * Result of a row in an earlier report: with the same variant; where that was not measured, as it was chosen then.
 *
 * @param {Report} old
 * @param {Result} result
 * @returns {Result | undefined}
 */
export function earlier(old, { name, variant, chosen }) {
  const same = old.rows.filter((row) => row.name === name);
  if (chosen) return same.find((row) => row.chosen);
  return same.find((row) => row.variant === variant);
}

/** Relative difference of times below which it may be chance. */
const NOISE = 0.05;

/**
 * Rows that have become faster and slower, in a few lines.
 *
 * @param {Report} report
 * @param {Report} old
 */
export function compared(report, old) {
  const pairs = report.rows
    .filter(({ chosen }) => chosen)
    .flatMap((row) => {
      const before = earlier(old, row);
      return before ? [{ name: row.name, ratio: before.microseconds / row.microseconds }] : [];
    });
  if (pairs.length === 0) return "compare: no row is in both.";
  const mean = Math.exp(pairs.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / pairs.length);
  const faster = pairs.filter(({ ratio }) => ratio > 1 + NOISE).length;
  const slower = pairs.filter(({ ratio }) => ratio < 1 - NOISE).sort((a, b) => a.ratio - b.ratio);
  const lines = [
    `${pairs.length} rows in both: ${mean.toFixed(2)}× as fast in the geometric mean, ${faster} faster and ${slower.length} slower by over ${100 * NOISE} %`,
    ...slower.map(({ name, ratio }) => `  slower: ${name}, ${ratio.toFixed(2)}×`),
  ];
  if (report.adapter !== old.adapter)
    lines.unshift(`The earlier report is of another adapter, ${old.adapter}.`);
  return lines.join("\n");
}
