const COLUMNS = [
  ["kernel and shape", -38],
  ["variant", -10],
  ["µs", 9],
  ["µs in all", 9],
  ["GFLOP/s", 8],
  ["of peak", 7],
  ["GB/s", 6],
  ["of copy", 7],
];

/** @param {readonly string[]} cells */
const columns = (cells) =>
  cells
    .map((cell, i) => {
      const width = COLUMNS[i][1];
      return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
    })
    .join(" ");

export const heading = () => columns(COLUMNS.map(([title]) => title));

/**
 * @param {import("./row.mjs").Row} row
 * @param {import("./measure.mjs").Measured} measured
 * @param {import("./peak.mjs").Peak} peak
 */
export function line({ name, flops, bytes }, { microseconds, wall, variants }, { gflops, gbytes }) {
  const rate = (count) => count / microseconds / 1000;
  const percent = (part, whole) => `${((100 * part) / whole).toFixed(0)} %`;
  return columns([
    name,
    variants[0] ?? "",
    microseconds.toFixed(0),
    wall.toFixed(0),
    rate(flops).toFixed(1),
    percent(rate(flops), gflops),
    rate(bytes).toFixed(1),
    percent(rate(bytes), gbytes),
  ]);
}
