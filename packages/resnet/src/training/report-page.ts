/** Style of a report, and the script by which the browser draws it from `page`. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
#charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1.5rem; }
.u-title { font-size: 1rem; font-weight: 600; }
table { border-collapse: collapse; }
th, td { padding: .2rem .6rem; text-align: right; font-variant-numeric: tabular-nums; }
.settings th, .settings td { text-align: left; font-weight: normal; border-bottom: 1px solid #8884; }
.confusion { font-size: .85rem; }
.confusion td { min-width: 2.5rem; text-align: center; }
.confusion tr:first-child th { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }
#filters canvas { width: 4rem; height: 4rem; margin: 0 .5rem .5rem 0; image-rendering: pixelated; }
`;

/** Comes before uPlot, which throws at once where `Intl` refuses the browser's language, such as `en-US@posix`. */
export const LANGUAGE_SCRIPT = `
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en" });
}
`;

export const PAGE_SCRIPT = `
const COLORS = ["#9bb8d9", "#2f6db5", "#d9622b"];
const make = (name, parent, text) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  return parent.appendChild(element);
};

const charts = document.getElementById("charts");
const ink = getComputedStyle(document.body).color;
const axis = { stroke: ink, grid: { stroke: "#8883" }, ticks: { stroke: "#8883" } };
const plots = page.charts.filter((chart) => chart.x.length > 0).map(({ title, x, series }) => {
  const place = make("div", charts);
  return [place, new uPlot({
    title,
    width: place.clientWidth,
    height: 280,
    scales: { x: { time: false } },
    axes: [{ ...axis, label: "step" }, { ...axis, size: 64 }],
    series: [{ label: "step" }, ...series.map(({ name }, i) => ({
      label: name,
      stroke: COLORS[series.length === 1 ? 1 : i],
      width: i === 0 && series.length > 1 ? 1 : 2,
      spanGaps: true,
    }))],
  }, [x, ...series.map(({ y }) => y)], place)];
});
addEventListener("resize", () => {
  for (const [place, plot] of plots) plot.setSize({ width: place.clientWidth, height: 280 });
});

if (page.confusion) {
  const { classes, counts } = page.confusion;
  const section = document.getElementById("confusion");
  make("h2", section, "Confusion");
  make("p", section, "Rows are what the images show, columns what the net takes them for.");
  if (classes.length <= 32) {
    const table = make("table", section);
    table.className = "confusion";
    const head = make("tr", table);
    make("th", head, "");
    for (const name of classes) make("th", head, name);
    classes.forEach((name, r) => {
      const row = make("tr", table);
      make("th", row, name);
      const own = counts.slice(r * classes.length, (r + 1) * classes.length);
      const total = own.reduce((a, b) => a + b, 0);
      own.forEach((count, c) => {
        const cell = make("td", row, count);
        const share = total ? count / total : 0;
        cell.style.background = (r === c ? "rgba(47,109,181," : "rgba(217,98,43,") + Math.sqrt(share) + ")";
      });
    });
  } else {
    const canvas = make("canvas", section);
    canvas.width = canvas.height = classes.length;
    canvas.style.width = "min(100%, 40rem)";
    canvas.style.imageRendering = "pixelated";
    const context = canvas.getContext("2d");
    counts.forEach((count, i) => {
      if (!count) return;
      const [r, c] = [Math.floor(i / classes.length), i % classes.length];
      context.fillStyle = r === c ? "#2f6db5" : "#d9622b";
      context.fillRect(c, r, 1, 1);
    });
  }
}

if (page.filters) {
  const { R, S, O, pixels } = page.filters;
  const section = document.getElementById("filters");
  make("h2", section, "Filters of the first layer");
  for (let o = 0; o < O; o++) {
    const canvas = make("canvas", section);
    canvas.width = S;
    canvas.height = R;
    const context = canvas.getContext("2d");
    const image = context.createImageData(S, R);
    for (let i = 0; i < R * S; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[(o * R * S + i) * 3 + c];
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }
}
`;
