import { roofline } from "./roofline.mjs";
import { cells, summary, TITLES } from "./table.mjs";

/**
 * @typedef {import("./benchmark.mjs").Report} Report
 */

/**
 * A page about a report, that opens without a server: each row below the adapter's roofline, and the table.
 *
 * @param {Report & { commit?: string | undefined, node?: string }} report
 * @param {string} chart the source of Chart.js, which is written into the page
 */
export function reportPage(report, chart) {
  const head = TITLES.map((title) => `<th>${escaped(title)}</th>`).join("");
  const body = report.rows.map((row) => {
    const [name, ...numbers] = cells({ ...row, chosen: true }, report).map(escaped);
    return `<tr${row.chosen ? "" : ' class="other"'}><th>${name}</th>${numbers.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  const facts = [report.date.slice(0, 10), report.commit, report.node && `Node ${report.node}`];
  // A tag in a name must not end the script.
  const data = JSON.stringify(roofline(report)).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Kernels on ${escaped(report.adapter)}</title>
<style>${STYLE}</style>
<h1>Kernels</h1>
<p>${escaped(summary(report))}.<br>${escaped(facts.filter(Boolean).join(" · "))}</p>
<div id="plot"><canvas role="img" aria-label="Each kernel's GFLOP/s over its operations a byte, below the adapter's roofline; the table has the same numbers."></canvas></div>
<table><thead><tr>${head}</tr></thead><tbody>
${body.join("\n")}
</tbody></table>
<script>${chart}</script>
<script>const plot = ${data};${SCRIPT}</script>
</html>
`;
}

const escaped = (/** @type {string} */ text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
#plot { position: relative; height: min(38rem, 80vh); }
table { border-collapse: collapse; margin-top: 2rem; font-size: .9rem; }
th, td { padding: .15rem .7rem; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
tbody th { font-weight: normal; }
thead th { position: sticky; top: 0; background: Canvas; font-weight: 600; }
tbody tr:nth-child(even) { background: #8881; }
.other { opacity: .65; }
`;

const SCRIPT = `
const { roof, points } = plot;
const COLORS = ["#2f6db5", "#d9622b", "#3a9a5b", "#9456b8", "#c7a21a", "#1aa3b0", "#c0446c", "#7a7a7a", "#7d5a3c", "#5a7d2a"];
const ink = getComputedStyle(document.body).color;
Chart.defaults.color = ink;
Chart.defaults.font.family = "system-ui, sans-serif";
const grid = { color: "#8883" };
const groups = [...new Set(points.map(({ group }) => group))];
const axis = ({ min, max, ticks }, text) => ({
  type: "logarithmic", min, max, grid,
  title: { display: true, text },
  afterBuildTicks: (axis) => void (axis.ticks = ticks.map((value) => ({ value }))),
  ticks: { callback: String, maxRotation: 0, autoSkip: false },
});
new Chart(document.querySelector("#plot canvas"), {
  type: "scatter",
  data: {
    datasets: [
      { label: "what the adapter can do", data: roof, showLine: true, pointStyle: "line", borderColor: ink, borderWidth: 1.5, pointRadius: 0, pointHitRadius: 0 },
      ...groups.map((group, i) => {
        const data = points.filter((point) => point.group === group);
        const color = COLORS[i % COLORS.length];
        return {
          label: group,
          data,
          borderColor: color,
          backgroundColor: data.map(({ chosen }) => (chosen ? color : "transparent")),
          pointStyle: ["circle", "triangle", "rect", "rectRot"][Math.floor(i / COLORS.length) % 4],
          pointRadius: 5,
          pointHoverRadius: 7,
        };
      }),
    ],
  },
  options: {
    maintainAspectRatio: false,
    animation: false,
    scales: {
      x: axis(plot.x, "operations a byte that must move"),
      y: axis(plot.y, "GFLOP/s"),
    },
    plugins: {
      legend: { position: "bottom", labels: { usePointStyle: true } },
      tooltip: { callbacks: { label: ({ raw }) => raw.label } },
    },
  },
});
`;
