import { init, tensor } from "@shadegrad/tensor";
import { beforeAll, expect, it } from "vitest";
import type { MetricsRecord } from "../../src/training/records.ts";
import { reportPage } from "../../src/training/report.ts";

beforeAll(async () => {
  await init({ quiet: true });
});

const start = (step: number, adapter: string): MetricsRecord => ({
  kind: "start",
  step,
  adapter,
  settings: { model: "net", note: `"${adapter}" & <more>` },
});
const step = (step: number, loss: number): MetricsRecord => ({
  kind: "step",
  ...{ step, epoch: 1, loss, accuracy: 0.25, lr: 0.1 / step, imagesPerSecond: 100 * step, seconds: step },
});
const epoch = (epoch: number, top1: number): MetricsRecord => ({
  kind: "epoch",
  ...{ step: 3 * epoch, epoch, loss: 1 / epoch, accuracy: 0.5, seconds: 61 * epoch },
  validation: { loss: 2 / epoch, top1, top5: 1 },
});
const records = [start(0, "old"), step(2, 4), epoch(1, 0.75), start(3, "new"), step(4, 3), epoch(2, 0.625)];

/** Rows of the table, and the data that the page's script draws. */
async function parts(options: Partial<Parameters<typeof reportPage>[0]>) {
  const html = await reportPage({ model: {}, records, evaluation: undefined, ...options });
  const rows = [...html.matchAll(/<tr><th>(.*?)<\/th><td>(.*?)<\/td><\/tr>/g)];
  const page = JSON.parse(/<script>const page = (.*?);\n/.exec(html)![1]!);
  return { settings: Object.fromEntries(rows.map(([, name, value]) => [name, value])), page };
}

it("tells the last epoch, the best one, and the settings of the last start", async () => {
  const { settings } = await parts({});
  expect(settings).toEqual({
    epochs: "2",
    "training loss": "0.5000",
    "training accuracy": "50.00 %",
    "validation loss": "1.0000",
    "validation accuracy": "62.50 %",
    "best validation accuracy": "75.00 %",
    time: "2:02",
    adapter: "new",
    model: "net",
    note: "&quot;new&quot; &amp; &lt;more&gt;",
  });
});

it("draws each number at its step, and none where there is none", async () => {
  const { page } = await parts({});
  expect(page.charts).toEqual([
    {
      title: "Loss",
      x: [2, 3, 4, 6],
      series: [
        { name: "training", y: [4, null, 3, null] },
        { name: "training, by epoch", y: [null, 1, null, 0.5] },
        { name: "validation", y: [null, 2, null, 1] },
      ],
    },
    {
      title: "Accuracy, %",
      x: [2, 3, 4, 6],
      series: [
        { name: "training", y: [25, null, 25, null] },
        { name: "training, by epoch", y: [null, 50, null, 50] },
        { name: "validation", y: [null, 75, null, 62.5] },
      ],
    },
    {
      title: "Learning rate",
      x: [2, 3, 4, 6],
      series: [{ name: "learning rate", y: [0.05, null, 0.025, null] }],
    },
    {
      title: "Images a second",
      x: [2, 3, 4, 6],
      series: [{ name: "images/s", y: [200, null, 400, null] }],
    },
  ]);
});

it("says nothing of a validation that there was not", async () => {
  const { settings, page } = await parts({ records: records.filter(({ kind }) => kind !== "epoch") });
  expect(Object.keys(settings)).toEqual(["adapter", "model", "note"]);
  expect(page.charts[0].series.map(({ name }: { name: string }) => name)).toEqual([
    "training",
    "training, by epoch",
  ]);
});

it("shows filters in colour or in grey, each on its own scale, 0 in the middle", async () => {
  const filtersOf = async (values: readonly number[], shape: readonly number[]) => {
    const { page } = await parts({ model: { weight: tensor(Float32Array.from(values), shape) } });
    return page.filters;
  };
  // Of two filters, the first in even places.
  expect(await filtersOf([1, -2, 0.5, 4], [1, 2, 1, 2])).toEqual({
    ...{ R: 1, S: 2, O: 2 },
    pixels: [255, 255, 255, 191, 191, 191, 64, 64, 64, 255, 255, 255],
  });
  expect(await filtersOf([1, 2, -1, 0, 0.5, -4], [1, 1, 3, 2])).toEqual({
    ...{ R: 1, S: 1, O: 2 },
    pixels: [255, 0, 191, 191, 128, 0],
  });
  expect(await filtersOf([0, 0], [1, 1, 1, 2])).toMatchObject({ pixels: Array(6).fill(128) });
  expect(await filtersOf([1, 2], [1, 1, 2, 1])).toBeUndefined();
});
