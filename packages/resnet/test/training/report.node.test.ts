import { init, tensor } from "@shadegrad/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import type { EpochRecord, MetricsRecord, StepRecord } from "../../src/training/records.ts";
import { type ReportOptions, reportPage } from "../../src/training/report.ts";

beforeAll(async () => {
  await init({ quiet: true });
});

const step = (step: number): StepRecord => ({
  ...{ kind: "step", step, epoch: 1, seconds: step, loss: 1 / step, accuracy: 0.25, lr: 0.1 * step },
  imagesPerSecond: 100 + step,
});
const epoch = (epoch: number, top1?: number): EpochRecord => ({
  ...{ kind: "epoch", step: 2 * epoch, steps: 4, epoch, epochs: 2, loss: 1.5 / epoch, accuracy: 0.5 },
  seconds: 60 * epoch,
  ...(top1 !== undefined && { validation: { loss: 2, top1, top5: 1 } }),
});
const START: MetricsRecord = {
  kind: "start",
  step: 0,
  adapter: "a GPU",
  settings: { model: "<net>", seed: 3 },
} as MetricsRecord;

/** Data of the page's script, and the rows of its table. */
async function contents(options: Partial<ReportOptions>) {
  const html = await reportPage({ model: {}, records: [], evaluation: undefined, ...options });
  const rows = [...html.matchAll(/<tr><th>(.*?)<\/th><td>(.*?)<\/td><\/tr>/g)];
  return {
    html,
    page: JSON.parse(/<script>const page = (.*?);\n/.exec(html)![1]!),
    settings: Object.fromEntries(rows.map(([, name, value]) => [name, value])),
  };
}

describe("a report", () => {
  it("has curves with a gap where nothing was measured", async () => {
    const records = [START, step(1), step(2), epoch(1, 0.25), step(3), epoch(2, 0.125)];
    const { page } = await contents({ records });
    const [loss, accuracy, rate, speed] = page.charts;
    for (const { x } of page.charts) expect(x).toEqual([1, 2, 3, 4]);
    expect(loss).toMatchObject({
      title: "Loss",
      series: [
        { name: "training", y: [1, 1 / 2, 1 / 3, null] },
        { name: "training, by epoch", y: [null, 1.5, null, 0.75] },
        { name: "validation", y: [null, 2, null, 2] },
      ],
    });
    expect(accuracy).toMatchObject({
      title: "Accuracy, %",
      series: [
        { name: "training", y: [25, 25, 25, null] },
        { name: "training, by epoch", y: [null, 50, null, 50] },
        { name: "validation", y: [null, 25, null, 12.5] },
      ],
    });
    expect(rate).toMatchObject({
      title: "Learning rate",
      series: [{ name: "learning rate", y: [0.1, 0.2, 3 * 0.1, null] }],
    });
    expect(speed).toMatchObject({
      title: "Images a second",
      series: [{ name: "images/s", y: [101, 102, 103, null] }],
    });
  });

  it("has no curve of a validation that there was not", async () => {
    const { page } = await contents({ records: [step(1), epoch(1), epoch(2)] });
    const names = page.charts.map(({ series }: { series: { name: string }[] }) =>
      series.map(({ name }) => name),
    );
    expect(names.slice(0, 2)).toEqual([
      ["training", "training, by epoch"],
      ["training", "training, by epoch"],
    ]);
  });

  it("sums up the last epoch and the best one, and has the settings of the last start", async () => {
    const before = { ...START, adapter: "another one" };
    const records = [before, epoch(1, 0.25), START, epoch(2, 0.125)];
    const { html, settings } = await contents({ records });
    expect(html).toContain("<title>Training of &lt;net&gt;</title>");
    expect(settings).toEqual({
      ...{ epochs: "2", "training loss": "0.7500", "training accuracy": "50.00 %" },
      ...{
        "validation loss": "2.0000",
        "validation accuracy": "12.50 %",
        "best validation accuracy": "25.00 %",
      },
      ...{ time: "2:00", adapter: "a GPU", model: "&lt;net&gt;", seed: "3" },
    });
  });

  it("of a training without an epoch, or without a validation, does not sum up what there is not", async () => {
    expect((await contents({})).settings).toEqual({ adapter: "" });
    expect((await contents({})).html).toContain("<title>Training</title>");
    const { settings } = await contents({ records: [epoch(1)] });
    expect(Object.keys(settings)).toEqual([
      "epochs",
      "training loss",
      "training accuracy",
      "time",
      "adapter",
    ]);
  });

  it("draws filters with 0 as grey, each in its own scale", async () => {
    // [R, S, C, O]: a filter of three colours, one of nothing
    const weight = tensor([0.5, 0, -1, 0, 0, 0], [1, 1, 3, 2]);
    const { page } = await contents({ model: { weight } });
    expect(page.filters).toEqual({ R: 1, S: 1, O: 2, pixels: [191, 0, 128, 128, 128, 128] });
    const grey = tensor([2, -1], [1, 2, 1, 1]);
    expect((await contents({ model: { grey } })).page.filters.pixels).toEqual([255, 255, 255, 64, 64, 64]);
    const other = tensor(new Float32Array(4), [1, 1, 4, 1]);
    expect((await contents({ model: { other } })).page.filters).toBeUndefined();
  });
});
