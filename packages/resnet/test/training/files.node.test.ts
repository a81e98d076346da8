import { appendFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { init } from "@shadegrad/tensor";
import { save } from "@shadegrad/tensor/formats";
import { Adam, oneCycle } from "@shadegrad/tensor/optim";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCheckpoint, type ProgressEvent, train } from "../../src/index.ts";
import { type Fixed, type Progress, writeTraining } from "../../src/training/checkpoint.ts";
import { colours, numbers, Small, sgd } from "./small.ts";

let root: string;
let folders = 0;
const fresh = () => join(root, String(folders++));

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "shadegrad-training-"));
  await init();
});

afterAll(() => rm(root, { recursive: true, force: true }));

const common = {
  data: colours(50),
  epochs: 3,
  batchSize: 8,
  seed: 3,
  augment: { pad: 1, flip: true },
  logEvery: 2,
  onProgress: () => {},
};

const lines = async (out: string) =>
  (await readFile(join(out, "metrics.jsonl"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("a training with a folder", () => {
  it("writes checkpoint, weights, metrics and report", async () => {
    const out = fresh();
    const model = new Small();
    await train({
      ...common,
      model,
      validation: colours(20, 2),
      optimizer: sgd(model),
      out,
      settings: { model: "<small>" },
    });
    expect((await readdir(out)).sort()).toEqual([
      "checkpoint.safetensors",
      "metrics.jsonl",
      "model.safetensors",
      "report.html",
    ]);

    const records = await lines(out);
    expect(records[0]).toMatchObject({
      kind: "start",
      step: 0,
      settings: {
        model: "<small>",
        images: 50,
        batchSize: 8,
        seed: 3,
        optimizer: "SGD",
        lr: "0.05",
        momentum: "0.9",
      },
    });
    expect(records.filter(({ kind }) => kind === "step").map(({ step, epoch }) => [step, epoch])).toEqual(
      Array.from({ length: 10 }, (_, i) => [2 * i + 2, Math.ceil((2 * i + 2) / 7)]),
    );
    const epochs = records.filter(({ kind }) => kind === "epoch");
    expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 7],
      [2, 14],
      [3, 21],
    ]);
    expect(epochs[0].validation.top1).toBeGreaterThan(0);

    const loaded = new Small(9);
    await loadCheckpoint(loaded, join(out, "model.safetensors"));
    expect(await numbers(loaded)).toEqual(await numbers(model));

    const report = await readFile(join(out, "report.html"), "utf8");
    expect(report).toContain("Training of &lt;small&gt;");
    expect(report).not.toContain("<small>");
    expect(report).not.toMatch(/(src|href)=/);
    const page = JSON.parse(/<script>const page = (.*?);\n/.exec(report)![1]!);
    expect(page.charts.map(({ title }: { title: string }) => title)).toEqual([
      "Loss",
      "Accuracy, %",
      "Learning rate",
      "Images a second",
    ]);
    expect(page.charts[0].x).toEqual([2, 4, 6, 7, 8, 10, 12, 14, 16, 18, 20, 21]);
    expect(page.confusion.counts.reduce((a: number, b: number) => a + b)).toBe(20);
    expect(page.filters).toMatchObject({ R: 3, S: 3, O: 4 });
    expect(page.filters.pixels).toHaveLength(4 * 9 * 3);
  });

  it("is not begun where another one is", async () => {
    const out = fresh();
    const model = new Small();
    await train({ ...common, epochs: 1, model, optimizer: sgd(model), out });
    const again = train({ ...common, model, optimizer: sgd(model), out });
    await expect(again).rejects.toThrow(/has the checkpoint of a training already/);
  });
});

describe("a training that goes on", () => {
  const kinds = {
    SGD: { optimizer: sgd, schedule: oneCycle({ lr: 0.1, steps: 21 }) },
    Adam: { optimizer: (model: object) => new Adam(model, { lr: 0.01 }), schedule: undefined },
  };

  it.each(Object.entries(kinds))(
    "after an interruption, with %s, has the weights of one that was not",
    async (_, kind) => {
      const whole = new Small();
      const straight = await train({
        ...common,
        ...kind,
        model: whole,
        optimizer: kind.optimizer(whole),
        out: fresh(),
      });

      const out = fresh();
      let interruptions = 0;
      for (let done = false; !done; ) {
        const model = new Small(100 + interruptions); // other weights, which the checkpoint replaces
        if (interruptions === 0) Object.assign(model, new Small());
        const controller = new AbortController();
        const begun = interruptions;
        const onProgress = (event: ProgressEvent) => {
          if (event.kind === "step" && event.step >= [4, 7, 12][begun]!) controller.abort();
        };
        const options = { ...common, ...kind, model, optimizer: kind.optimizer(model), out, resume: true };
        const result = await train({ ...options, logEvery: 1, onProgress, signal: controller.signal });
        done = result.done;
        if (!done) interruptions++;
        else {
          expect(await numbers(model)).toEqual(await numbers(whole));
          expect(result.epochs.map(({ step, loss }) => [step, loss.toFixed(5)])).toEqual(
            straight.epochs.map(({ step, loss }) => [step, loss.toFixed(5)]),
          );
          expect((await lines(out)).filter(({ kind }) => kind === "step").map(({ step }) => step)).toEqual(
            Array.from({ length: 21 }, (_, i) => i + 1),
          );
        }
      }
      expect(interruptions).toBe(3);
    },
  );

  it("forgets metrics from after its checkpoint, and half a line", async () => {
    const out = fresh();
    const model = new Small();
    await train({ ...common, epochs: 1, model, optimizer: sgd(model), out });
    const late = {
      kind: "step",
      step: 9,
      epoch: 2,
      loss: 1,
      accuracy: 0,
      lr: 1,
      imagesPerSecond: 1,
      seconds: 1,
    };
    await appendFile(join(out, "metrics.jsonl"), `${JSON.stringify(late)}\n{"kind":"st`);
    await train({ ...common, epochs: 2, model, optimizer: sgd(model), out, resume: true });
    const steps = (await lines(out)).filter(({ kind }) => kind === "step").map(({ step }) => step);
    expect(steps).toEqual([2, 4, 6, 8, 10, 12, 14]);
  });

  it("begins where there is nothing to go on from", async () => {
    const model = new Small();
    const result = await train({
      ...common,
      epochs: 1,
      model,
      optimizer: sgd(model),
      out: fresh(),
      resume: true,
    });
    expect(result.step).toBe(7);
  });

  it("says what does not fit", async () => {
    const out = fresh();
    const model = new Small();
    await train({ ...common, epochs: 1, model, optimizer: sgd(model), out });
    const again = (options: object) =>
      train({ ...common, model, optimizer: sgd(model), out, resume: true, ...options });
    await expect(again({ batchSize: 4 })).rejects.toThrow(
      /was made with a batch size of 8, not 4: it cannot be gone on with\.$/,
    );
    await expect(again({ seed: 4 })).rejects.toThrow(/was made with seed 3, not 4/);
    await expect(again({ data: colours(49) })).rejects.toThrow(/was made with a data set of 50, not 49/);
    await expect(again({ optimizer: new Adam(model) })).rejects.toThrow(
      /Adam\.loadStateDict: the state does not fit/,
    );
    await expect(again({ resume: join(out, "model.safetensors") })).rejects.toThrow(
      /holds weights, but not how far a training was/,
    );
    await expect(again({ resume: join(out, "missing") })).rejects.toThrow(/ENOENT/);
  });
});

it("a checkpoint that cannot be written leaves the one before whole", async () => {
  const out = fresh();
  const model = new Small();
  await train({ ...common, epochs: 1, model, optimizer: sgd(model), out });
  const path = join(out, "checkpoint.safetensors");
  const before = await readFile(path);
  const optimizer = sgd(model);
  const late = {
    dtype: "f32" as const,
    shape: [1],
    data: () => Promise.reject(new Error("the device was lost")),
  };
  const failing = Object.assign(Object.create(optimizer), {
    stateDict: () => new Map<string, unknown>([...optimizer.stateDict(), ["late", late]]),
  });
  const state = { progress: {} as Progress, fixed: {} as Fixed, generator: { seed: 0, offset: 0 } };
  await expect(save(path, writeTraining({ model, optimizer: failing }, state))).rejects.toThrow(
    "the device was lost",
  );
  expect((await readFile(path)).equals(before)).toBe(true);
  expect((await readdir(out)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});
