import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assign, defaultDevice, init, mul, type Tensor } from "@shadegrad/tensor";
import { readSafetensors, save, writeSafetensors } from "@shadegrad/tensor/formats";
import { Adam, multiStep, oneCycle, SGD } from "@shadegrad/tensor/optim";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCheckpoint, type ProgressEvent, ResNet, train } from "../../src/index.ts";
import { type TrainingProgress, writeTraining } from "../../src/training/index.ts";
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
    "SGD and products in f16": {
      optimizer: sgd,
      schedule: oneCycle({ lr: 0.1, steps: 21 }),
      precision: "f16" as const,
    },
  };
  /** A net whose gradients are so large that the first steps overflow in f16, and are left out. */
  const steep = () => {
    const model = new Small();
    const { weight } = model.net.fc;
    assign(weight, mul(weight, 300));
    return model;
  };

  it.for(Object.entries(kinds))(
    "after an interruption, with %s, has the weights of one that was not",
    async ([, kind], { skip }) => {
      const half = "precision" in kind;
      skip(half && !defaultDevice().adapter.features.has("shader-f16"), "no shader-f16");
      const begin = half ? steep : () => new Small();
      const whole = begin();
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
        if (interruptions === 0) Object.assign(model, begin());
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
      const saved = await readSafetensors(await readFile(join(out, "checkpoint.safetensors")));
      const [scale] = (saved.get("scaler.scale")?.data as Float32Array | undefined) ?? [];
      if (half) expect(scale).toBeLessThan(2 ** 16);
      else expect(scale).toBe(undefined);
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

  it("refuses other settings, all of them at once with both values", async () => {
    const out = fresh();
    const model = new Small();
    await train({ ...common, epochs: 1, model, optimizer: sgd(model), out });
    const before = await readFile(join(out, "checkpoint.safetensors"));
    const records = await lines(out);
    const again = (options: object) =>
      train({ ...common, model, optimizer: sgd(model), out, resume: true, ...options });
    const refused = async (options: object, differences: string) =>
      expect(again(options)).rejects.toThrow(
        `resume: ${join(out, "checkpoint.safetensors")} was made with other settings: ${differences}. Give the same ones,`,
      );
    await refused({ batchSize: 4 }, "batchSize 8, now 4");
    await refused({ seed: 4, labelSmoothing: 0.1 }, "seed 3, now 4; labelSmoothing 0, now 0.1");
    await refused(
      { augment: { pad: 1 }, crop: 4 },
      "augment pad 1, flip, now pad 1; crop none, now 4 at random",
    );
    await refused({ normalization: false }, "normalization mean 0.35,0.35,0.35, std 0.2,0.2,0.2, now none");
    await refused(
      { optimizer: new SGD(model, { lr: 0.1, momentum: 0.9, weightDecay: 5e-4 }) },
      "optimizer.weightDecay 0.0001, now 0.0005; optimizer.lr 0.05, now 0.1",
    );
    await refused({ optimizer: new Adam(model) }, "optimizer SGD, now Adam");
    if (defaultDevice().adapter.features.has("shader-f16"))
      await refused({ precision: "f16" }, "precision none, now f16");
    await refused({ schedule: () => 0.05 }, "optimizer.lr 0.05, now by a schedule");
    // Images of the same number and size, but other pixels.
    await expect(again({ data: colours(50, 7) })).rejects.toThrow(
      /was made with other settings: pixels [\da-f]{8}, now [\da-f]{8}\. Give/,
    );
    await expect(again({ data: colours(49) })).rejects.toThrow(/images 50, now 49/);

    const bigger = { nBlocks: [1, 1], nChannels: [4, 8], firstKernelSize: 3, classes: 3 };
    const net = new ResNet({ ...bigger, shortcut: "pad-end" });
    const folder = fresh();
    await train({ ...common, epochs: 1, model: net, optimizer: sgd(net), out: folder });
    const other = new ResNet({ ...bigger, shortcut: "pad-both" });
    await expect(
      train({ ...common, model: other, optimizer: sgd(other), out: folder, resume: true }),
    ).rejects.toThrow("other settings: net.shortcut pad-end, now pad-both.");

    // Nothing was touched.
    expect((await readFile(join(out, "checkpoint.safetensors"))).equals(before)).toBe(true);
    expect(await lines(out)).toEqual(records);
  });

  it("may become longer where the rates so far would have been the same, and is what it would have been", async () => {
    const half = { lr: 0.1, milestones: [10] };
    const whole = new Small();
    const schedule = multiStep(half);
    await train({ ...common, model: whole, optimizer: sgd(whole), schedule });

    const out = fresh();
    const begun = new Small();
    const options = { ...common, epochs: 1, model: begun, optimizer: sgd(begun), out };
    await train({ ...options, schedule: multiStep({ ...half, milestones: [8] }) });
    const model = new Small(2);
    const longer = { ...common, model, optimizer: sgd(model), out, resume: true };
    const result = await train({ ...longer, schedule });
    expect([result.begun, result.step]).toEqual([7, 21]);
    expect(await numbers(model)).toEqual(await numbers(whole));

    const late = train({ ...longer, epochs: 4, schedule: multiStep({ ...half, milestones: [11] }) });
    await expect(late).rejects.toThrow(/other settings: rate of step 11 0\.01\d*, now 0\.1\./);
  });

  it("at its end has nothing left to do, and past it refuses", async () => {
    const out = fresh();
    const model = new Small();
    const options = { ...common, model, optimizer: sgd(model), out, resume: true };
    expect(await train({ ...options, epochs: 2 })).toMatchObject({ done: true, begun: 0, step: 14 });
    const before = await lines(out);
    expect(await train({ ...options, epochs: 2 })).toMatchObject({ done: true, begun: 14, step: 14 });
    expect(await lines(out)).toEqual(before);
    await expect(train({ ...options, epochs: 1 })).rejects.toThrow(
      "checkpoint.safetensors has 14 steps done, more than the 7 that are asked for.",
    );
  });

  it("says what is no checkpoint of a training", async () => {
    const out = fresh();
    const model = new Small();
    await train({ ...common, epochs: 1, model, optimizer: sgd(model), out });
    const again = (options: object) => train({ ...common, model, optimizer: sgd(model), out, ...options });
    await expect(again({ resume: join(out, "model.safetensors") })).rejects.toThrow(
      /holds weights, but no state of a training/,
    );
    await expect(again({ resume: join(out, "missing") })).rejects.toThrow(/ENOENT/);
    const strange = join(out, "strange.safetensors");
    await save(strange, writeSafetensors(new Map(), { "shadegrad.training": "{}" }));
    const cut = join(out, "cut.safetensors");
    await writeFile(cut, (await readFile(join(out, "checkpoint.safetensors"))).subarray(0, 5000));
    await expect(again({ resume: cut })).rejects.toThrow(
      /^resume: \S+cut\.safetensors is damaged, and cannot be resumed\. /,
    );
    await expect(again({ resume: strange })).rejects.toThrow(/progress.step is undefined/);
  });
});

describe("a training that breaks", () => {
  it("at its validation saves nothing, and names the op", async () => {
    const out = fresh();
    const model = new Small();
    let judged = 0;
    const { dropout } = model;
    const breaking = Object.assign(model, {
      forward(x: Tensor): Tensor {
        const y = model.net.forward(dropout.forward(x));
        if (!dropout.training && x.shape[0] === 4) judged++; // the last batch of those to judge by
        return judged > 1 && !dropout.training ? mul(mul(y, 1e30), 1e30) : y;
      },
    });
    const run = train({ ...common, model: breaking, validation: colours(20, 2), optimizer: sgd(model), out });
    await expect(run).rejects.toThrow(
      /^train: the loss of the validation became NaN by step 14 of epoch 2: among the first 8 images of the validation, crossEntropy made it, of values that are infinite since mul\. The model is as it was after step \d+\./,
    );
    expect((await lines(out)).filter(({ kind }) => kind === "epoch").map(({ epoch }) => epoch)).toEqual([1]);
    const on = new Small(5);
    const options = { ...common, epochs: 1, model: on, optimizer: sgd(on), out, resume: true };
    expect(await train(options)).toMatchObject({ begun: 7, step: 7 });
  });

  it("in f16 is told apart from gradients that overflow", async ({ skip }) => {
    skip(!defaultDevice().adapter.features.has("shader-f16"), "no shader-f16");
    const model = new Small();
    let at = 0;
    const schedule = (step: number) => {
      at = step;
      return 0.05;
    };
    const breaking = Object.assign(model, {
      forward(x: Tensor): Tensor {
        const y = model.net.forward(model.dropout.forward(x));
        // In the first steps gradients overflow, to infinities and NaN; then the scores do.
        return at < 4 ? mul(y, 3000) : mul(mul(y, 1e30), 1e30);
      },
    });
    const options = { ...common, logEvery: 50, model: breaking, optimizer: sgd(model), schedule };
    await expect(train({ ...options, precision: "f16", compile: false })).rejects.toThrow(
      /^train: the loss became NaN by step \d of epoch 1: in step 5, crossEntropy made it, of values that are infinite since mul\./,
    );
  });

  it("in its last step, of which no loss tells, saves nothing", async () => {
    const out = fresh();
    const model = new Small();
    const schedule = (step: number) => (step === 6 ? 1e300 : 0.05);
    const run = train({ ...common, epochs: 1, model, optimizer: sgd(model), schedule, out });
    await expect(run).rejects.toThrow(
      /^train: \S+ became (NaN|-?Infinity) by step 7 of epoch 1: .* The model is as it was after step [4-6]\./,
    );
    expect(await readdir(out)).toEqual(["metrics.jsonl"]);
    expect(
      Object.values(await numbers(model))
        .flat()
        .every(Number.isFinite),
    ).toBe(true);
  });
});

it("a training goes on with the epsilon of each batch norm", async () => {
  const out = fresh();
  const begin = () => {
    const model = new Small();
    model.net.base.bn.eps = 0.01;
    return model;
  };
  const straight = begin();
  await train({ ...common, epochs: 2, model: straight, optimizer: sgd(straight) });
  const before = begin();
  await train({ ...common, epochs: 1, model: before, optimizer: sgd(before), out });
  const after = new Small();
  await train({ ...common, epochs: 2, model: after, optimizer: sgd(after), out, resume: true });
  expect(after.net.base.bn.eps).toBe(0.01);
  expect(await numbers(after)).toEqual(await numbers(straight));
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
  const state = { progress: {} as TrainingProgress, resumeSettings: {}, generator: { seed: 0, offset: 0 } };
  await expect(save(path, writeTraining({ model, optimizer: failing }, state))).rejects.toThrow(
    "the device was lost",
  );
  expect((await readFile(path)).equals(before)).toBe(true);
  expect((await readdir(out)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});
