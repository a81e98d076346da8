/** Error of a result that may come of another order of summing: f16 keeps eleven bits. */
const TOLERANCE = 3e-3;

const tflops = (flops, microseconds) => (flops / microseconds / 1e6).toFixed(1);

/** @param {Omit<import("./kernels.mjs").KernelResult, "steady">} row */
export function kernelLine({ name, count, flops, times, failed }) {
  const [best, second] = times;
  const chosen = times.find((time) => time.chosen);
  const way = (time) =>
    time
      ? `${time.name}${time.error > TOLERANCE || !(time.error >= 0) ? "!" : ""} ${time.microseconds.toFixed(1)}`
      : "–";
  const wrong = times.filter(({ error }) => !(error <= TOLERANCE)).length;
  return [
    `${name} (${count})`.padEnd(28),
    `${best ? tflops(flops, best.microseconds) : "–"} TF`.padStart(8),
    way(best).padEnd(24),
    `2nd ${way(second)}`.padEnd(27),
    `own ${way(chosen)}`,
    ...(wrong + failed.length > 0
      ? [`${wrong} wrong, ${failed.length} failed ${failed[0]?.reason.slice(0, 120) ?? ""}`]
      : []),
  ].join(" ");
}

/** Total time of the net's launches. */
export function totalLine(rows) {
  const sum = (pick) =>
    rows.reduce((total, row) => total + row.count * (pick(row)?.microseconds ?? Number.NaN), 0) / 1000;
  const flops = rows.reduce((total, row) => total + row.count * row.flops, 0);
  const [best, own] = [sum(({ times }) => times[0]), sum(({ times }) => times.find(({ chosen }) => chosen))];
  return `together: best ${best.toFixed(2)} ms (${tflops(flops, 1000 * best)} TFLOP/s), own ${own.toFixed(2)} ms`;
}

/** @param {import("./nets.mjs").NetResult} net */
export const netLines = ({ name, warm, piped, encode, kernels, launches, profile }) => [
  `${name}: ${warm.toFixed(2)} ms, piped ${piped.toFixed(2)}, encode ${encode.toFixed(2)}, kernels ${kernels.toFixed(2)} in ${launches}`,
  ...profile
    .slice(0, 8)
    .map(
      (row) =>
        `  ${row.kernel.padEnd(32)} ${String(row.count).padStart(4)} ${(row.microseconds / 1000).toFixed(2).padStart(8)} ms ${row.tflops.toFixed(1).padStart(6)} TF ${row.gbytes.toFixed(0).padStart(5)} GB/s`,
    ),
];
