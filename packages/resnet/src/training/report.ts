import { checkOptions } from "@shadegrad/tensor";
import { stateDict } from "@shadegrad/tensor/nn";
import { nodeModules } from "../data/node.ts";
import type { Evaluation } from "./evaluate.ts";
import { duration } from "./lines.ts";
import type { EpochRecord, MetricsRecord, StepRecord } from "./records.ts";
import { LANGUAGE_SCRIPT, PAGE_SCRIPT, PAGE_STYLE } from "./report-page.ts";

export interface ReportOptions {
  readonly model: object;
  readonly records: readonly MetricsRecord[];
  /** The last evaluation, with its confusion matrix. */
  readonly evaluation: Evaluation | undefined;
}

/** A chart: per x, one y or null for each series. */
interface Chart {
  readonly title: string;
  readonly x: readonly number[];
  readonly series: readonly { readonly name: string; readonly y: readonly (number | null)[] }[];
}

/**
 * A page about a training, made in Node, that opens without a server: curves, confusion matrix, the first layer's
 * filters, settings and adapter.
 */
export async function reportPage(options: ReportOptions): Promise<string> {
  checkOptions("reportPage", options, ["model", "records", "evaluation"]);
  const { model, records, evaluation } = options;
  const starts = records.filter((record) => record.kind === "start");
  const steps = records.filter((record) => record.kind === "step");
  const epochs = records.filter((record) => record.kind === "epoch");
  const { adapter = "", settings = {} } = starts.at(-1) ?? {};
  const last = epochs.at(-1);
  const summary = {
    ...(last && {
      epochs: last.epoch,
      "training loss": last.loss.toFixed(4),
      "training accuracy": percent(last.accuracy),
      ...(last.validation && {
        "validation loss": last.validation.loss.toFixed(4),
        "validation accuracy": percent(last.validation.top1),
        "best validation accuracy": percent(Math.max(...epochs.map((epoch) => epoch.validation?.top1 ?? 0))),
      }),
      time: duration(last.seconds),
    }),
    adapter,
    ...settings,
  };
  const page = {
    charts: charts(steps, epochs),
    filters: await filtersOf(model),
    confusion: evaluation && { classes: evaluation.classes, counts: [...evaluation.confusion] },
  };
  const title = `Training${settings.model ? ` of ${settings.model}` : ""}`;
  const plot = await uplot();
  // A tag in a name or a setting must not end the script.
  const json = JSON.stringify(page).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${plot.css}${PAGE_STYLE}</style>
<h1>${escaped(title)}</h1>
<section id="charts"></section>
<section id="confusion"></section>
<section id="filters"></section>
<h2>Settings</h2>
<table class="settings">
${Object.entries(summary)
  .map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(String(value))}</td></tr>`)
  .join("\n")}
</table>
<script>${LANGUAGE_SCRIPT}${plot.js}</script>
<script>const page = ${json};${PAGE_SCRIPT}</script>
</html>
`;
}

function charts(steps: readonly StepRecord[], epochs: readonly EpochRecord[]): Chart[] {
  const x = [...new Set([...steps, ...epochs].map(({ step }) => step))].sort((a, b) => a - b);
  const along = <R extends { step: number }>(
    records: readonly R[],
    value: (record: R) => number | undefined,
  ) => {
    const found = new Map(records.map((record) => [record.step, value(record)]));
    return x.map((step) => found.get(step) ?? null);
  };
  const judged = epochs.some(({ validation }) => validation);
  return [
    {
      title: "Loss",
      x,
      series: [
        { name: "training", y: along(steps, ({ loss }) => loss) },
        { name: "training, by epoch", y: along(epochs, ({ loss }) => loss) },
        ...(judged ? [{ name: "validation", y: along(epochs, ({ validation }) => validation?.loss) }] : []),
      ],
    },
    {
      title: "Accuracy, %",
      x,
      series: [
        { name: "training", y: along(steps, ({ accuracy }) => 100 * accuracy) },
        { name: "training, by epoch", y: along(epochs, ({ accuracy }) => 100 * accuracy) },
        ...(judged
          ? [
              {
                name: "validation",
                y: along(epochs, ({ validation }) => validation && 100 * validation.top1),
              },
            ]
          : []),
      ],
    },
    { title: "Learning rate", x, series: [{ name: "learning rate", y: along(steps, ({ lr }) => lr) }] },
    {
      title: "Images a second",
      x,
      series: [{ name: "images/s", y: along(steps, ({ imagesPerSecond }) => imagesPerSecond) }],
    },
  ];
}

/** The first convolution's filters as pictures: `[O, R, S, 3]` bytes; 0 is grey, and each filter has its own scale. */
async function filtersOf(model: object) {
  const first = [...stateDict(model).values()].find(({ shape }) => shape.length === 4);
  const [R = 0, S = 0, C = 0, O = 0] = first?.shape ?? [];
  if (!first || (C !== 3 && C !== 1)) return undefined;
  const w = await first.data();
  const pixels: number[] = [];
  for (let o = 0; o < O; o++) {
    let most = 0;
    for (let i = 0; i < R * S * C; i++) most = Math.max(most, Math.abs(w[i * O + o]!));
    for (let i = 0; i < R * S; i++) {
      for (let c = 0; c < 3; c++) {
        const value = w[(i * C + (C === 3 ? c : 0)) * O + o]!;
        pixels.push(Math.round(127.5 * (1 + (most > 0 ? value / most : 0))));
      }
    }
  }
  return { R, S, O, pixels };
}

/** The sources of uPlot, to be written into the page. */
async function uplot(): Promise<{ js: string; css: string }> {
  const { files, module } = nodeModules("a report");
  const { resolve } = module.createRequire(import.meta.url);
  const [js, css] = await Promise.all(
    ["uPlot.iife.min.js", "uPlot.min.css"].map((name) =>
      files.readFile(resolve(`uplot/dist/${name}`), "utf8"),
    ),
  );
  return { js: js!, css: css! };
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
