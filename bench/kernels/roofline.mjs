/**
 * @typedef {import("./benchmark.mjs").Report} Report
 *
 * @typedef {{ min: number, max: number, ticks: number[] }} Axis a logarithmic one
 *
 * @typedef {object} Point
 * @property {string} group points of one group look alike
 * @property {string} label which row it is, and what that reaches
 * @property {number} x operations a byte that must move
 * @property {number} y GFLOP/s
 * @property {boolean} chosen whether its variant is the one that would be chosen
 *
 * @typedef {object} Roofline
 * @property {Axis} x
 * @property {Axis} y
 * @property {{ x: number, y: number }[]} roof from left to right
 * @property {Point[]} points
 */

/**
 * A report as a plot: each row below what the adapter can do at so many operations a byte (Williams, Waterman and
 * Patterson, 2009).
 *
 * @param {Pick<Report, "peak" | "rows">} report
 * @returns {Roofline}
 */
export function roofline({ peak, rows }) {
  const roofAt = (/** @type {number} */ x) => Math.min(peak.gflops, peak.gbytes * x);
  const points = rows
    .map(({ name, variant, chosen, microseconds, flops, bytes }) => {
      const [x, y] = [flops / bytes, flops / microseconds / 1000];
      const which = `${name}, ${variant}${chosen ? "" : " (not chosen)"}`;
      const share = ((100 * y) / roofAt(x)).toFixed(0);
      return {
        group: groupOf(name),
        label: `${which}: ${plain(y)} GFLOP/s, ${share} % of the roof`,
        x,
        y,
        chosen,
      };
    })
    .filter(({ x, y }) => x > 0 && y > 0 && Number.isFinite(y));
  const knee = peak.gflops / peak.gbytes;
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const x = axis(Math.min(...xs, knee / 4) / 1.5, Math.max(...xs, knee * 4) * 1.5);
  const y = axis(Math.min(...ys, roofAt(x.min)) / 1.5, Math.max(...ys, peak.gflops) * 1.5);
  return { x, y, roof: [x.min, knee, x.max].map((x) => ({ x, y: roofAt(x) })), points };
}

/** Kernel in a row's name: `conv2d`, `conv2d dw`. @param {string} name */
export const groupOf = (name) => /^\w+(?: d[xw]\b)?/.exec(name)?.[0] ?? name;

/**
 * Marked at 1, 2 and 5 of each power of ten.
 *
 * @param {number} min
 * @param {number} max
 * @returns {Axis}
 */
function axis(min, max) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power++) {
    for (const digit of [1, 2, 5]) ticks.push(Number(`${digit}e${power}`));
  }
  return { min, max, ticks: ticks.filter((tick) => tick >= min && tick <= max) };
}

const plain = (/** @type {number} */ value) => Number(value.toPrecision(3)).toString();
