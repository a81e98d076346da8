import { ourselves, platform } from "../provenance.mjs";

const OURS = "shadegrad";

/**
 * Results of a run as text: milliseconds of a warm call, then of the first.
 *
 * @param {object} report as `--json` writes it
 */
export function summary(report) {
  const { rounds, engines, results, sizes } = report;
  const versions = engines.map(({ title, version, name }) =>
    name === OURS ? ourselves(report) : `${title} ${version}`,
  );
  const warm = results.filter(({ workload }) => !workload.cold);
  const models = results.filter(({ workload }) => workload.kind === "infer" || workload.kind === "train");
  const parts = [
    [platform(report), versions.join(" · ")].join("\n"),
    warm.length > 0 &&
      grid(`warm, ms, median of ${rounds} rounds`, engines, warm, ({ times, workload }, name) => {
        const median = middle(times[name].warm);
        return median / (workload.repeats ?? 1);
      }),
    models.length > 0 &&
      grid("from nothing to the first answer, ms", engines, models, ({ times }, name) =>
        middle(times[name].first.map((first, i) => first + times[name].start[i])),
      ),
    models.length > 0 &&
      grid("the first call in it, ms", engines, models, ({ times }, name) => middle(times[name].first)),
    sizes && sizeTable(sizes),
  ];
  return parts.filter(Boolean).join("\n\n");
}

/**
 * A line for each workload, a column for each engine; last, what ours is ahead of the fastest other by.
 *
 * @param {(result: object, engine: string) => number} value
 */
function grid(title, engines, results, value) {
  const compared = engines.length > 1 && engines.some(({ name }) => name === OURS);
  const rows = results.map((result) => {
    const values = engines.map(({ name }) => (result.times[name] ? value(result, name) : undefined));
    const others = values.filter((time, i) => time !== undefined && engines[i].name !== OURS);
    const ours = values[engines.findIndex(({ name }) => name === OURS)];
    const ahead = compared && others.length > 0 ? [`${(Math.min(...others) / ours).toFixed(2)}×`] : [];
    return [
      result.workload.name,
      ...values.map((time) => (time === undefined ? "–" : milliseconds(time))),
      ...ahead,
    ];
  });
  return columns([[title, ...engines.map(({ title }) => title), ...(compared ? ["ahead by"] : [])], ...rows]);
}

const sizeTable = (sizes) =>
  columns([
    ["what a page downloads, KB", "minified", "gzip"],
    ...sizes.map(({ what, bytes, gzip }) => [what, kilobytes(bytes), kilobytes(gzip)]),
  ]);

/** @param {string[][]} rows of which the first is the heading */
function columns(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const cell = (text, i) => (i === 0 ? text.padEnd(widths[0]) : text.padStart(widths[i] + 2));
  const rule = widths.map((width, i) => "─".repeat(i === 0 ? width : width + 2)).join("");
  const [heading, ...lines] = rows.map((row) => row.map(cell).join(""));
  return [heading, rule, ...lines].join("\n");
}

const milliseconds = (value) =>
  value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);

const kilobytes = (bytes) => (bytes / 1000).toFixed(1);

/** @param {number[]} values */
function middle(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
