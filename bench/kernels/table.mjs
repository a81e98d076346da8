import { laidOut } from "../columns.mjs";
import { earlier } from "./compare.mjs";

/**
 * @typedef {import("./benchmark.mjs").Result} Result
 * @typedef {import("./benchmark.mjs").Report} Report
 */

/** @type {import("../columns.mjs").Column[]} */
const COLUMNS = [
  ["kernel and shape", -39],
  ["variant", -11],
  ["µs", 9],
  ["±", 5],
  ["µs in all", 9],
  ["GFLOP/s", 8],
  ["of peak", 7],
  ["GB/s", 6],
  ["of copy", 7],
];

/** @type {typeof COLUMNS} */
const COMPARED = [
  ["µs before", 9],
  ["faster", 7],
];

/**
 * Cells of a row of the table, in the order of its columns.
 *
 * @param {Result} result
 * @param {Report} report
 */
export function cells({ name, variant, chosen, microseconds, spread, wall, flops, bytes }, { peak }) {
  const rate = (count) => count / microseconds / 1000;
  const percent = (part, whole) => `${((100 * part) / whole).toFixed(0)} %`;
  return [
    chosen ? name : "",
    variant,
    microseconds.toFixed(0),
    `${(50 * spread).toFixed(0)} %`,
    wall.toFixed(0),
    rate(flops).toFixed(1),
    percent(rate(flops), peak.gflops),
    rate(bytes).toFixed(1),
    percent(rate(bytes), peak.gbytes),
  ];
}

/** @param {Report} [old] to compare with */
export const heading = (old) => {
  const columns = [...COLUMNS, ...(old ? COMPARED : [])];
  return laidOut(
    columns,
    columns.map(([title]) => title),
  );
};

/** The titles of `cells`. */
export const TITLES = COLUMNS.map(([title]) => title);

/**
 * A line of the table; a variant that is not the one chosen stands under that, without the name.
 *
 * @param {Result} result
 * @param {Report} report that it is of
 * @param {Report} [old] to compare with
 */
export function line(result, report, old) {
  const before = old && earlier(old, result);
  const more = before
    ? [before.microseconds.toFixed(0), `${(before.microseconds / result.microseconds).toFixed(2)}×`]
    : [];
  return laidOut([...COLUMNS, ...COMPARED], [...cells(result, report), ...more]);
}

/** @param {Report} report */
export const summary = ({ adapter, peak, timed }) =>
  `${adapter}: ${peak.gflops.toFixed(1)} GFLOP/s of multiply-adds, ${peak.gbytes.toFixed(1)} GB/s of copying` +
  (timed ? "" : "; it has no timestamps, so µs are a caller's, in batches");
