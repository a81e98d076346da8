import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { init, manualSeed, mean, type Tensor } from "@shadegrad/tensor";
import { dispose, type Layer, Linear } from "@shadegrad/tensor/nn";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadCheckpoint, type TrainResult, train } from "../../src/index.ts";
import { FaultyFiles } from "./faulty-files.ts";
import { colours, numbers, sgd } from "./small.ts";

let root: string;
let folders = 0;
const fresh = () => join(root, String(folders++));
const faulty = new FaultyFiles();
/** A pid that no process has any more. */
const deadPid = spawnSync(process.execPath, ["-e", ""]).pid;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "shadegrad-kills-"));
  await init();
});
afterEach(() => faulty.restore());
afterAll(() => rm(root, { recursive: true, force: true }));

/** A net of twelve numbers: what is tested are files. */
class Tiny implements Layer {
  readonly fc: Linear;

  constructor() {
    manualSeed(1);
    this.fc = new Linear(3, 3);
  }

  forward(x: Tensor): Tensor {
    return this.fc.forward(mean(x, [1, 2]));
  }
}

const data = colours(10);
const validation = colours(4, 2);

async function run(
  out: string,
  options: { epochs?: number; steps?: number; signal?: AbortSignal; logEvery?: number } = {},
): Promise<TrainResult & { numbers: Awaited<ReturnType<typeof numbers>> }> {
  const model = new Tiny();
  const optimizer = sgd(model);
  const extent = options.steps === undefined ? { epochs: 3 } : {};
  try {
    const result = await train({
      ...{ model, optimizer, data, validation, batchSize: 4, out, resume: true },
      ...{ compile: false, logEvery: 1, onProgress: () => {}, ...extent, ...options },
    });
    return { ...result, numbers: await numbers(model) };
  } finally {
    optimizer.dispose();
    dispose(model);
  }
}

/** The lock names this process, which a kill would have ended. */
async function markDead(out: string): Promise<void> {
  const lock = join(out, "training.lock");
  const text = await readFile(lock, "utf8").catch(() => undefined);
  if (text) await writeFile(lock, text.replace(String(process.pid), String(deadPid)));
}

const recordsOf = async (out: string) =>
  (await readFile(join(out, "metrics.jsonl"), "utf8"))
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

async function weightsOf(out: string) {
  const model = new Tiny();
  try {
    await loadCheckpoint(model, join(out, "model.safetensors"));
    return await numbers(model);
  } finally {
    dispose(model);
  }
}

const FILES = ["checkpoint.safetensors", "metrics.jsonl", "model.safetensors", "report.html"];

describe("a training that is killed at any operation on files", () => {
  it("is resumed to the same bits, with the right weights, metrics and report on disk", async () => {
    const whole = fresh();
    faulty.watch();
    const straight = await run(whole);
    const operations = faulty.restore();
    expect(operations).toBeGreaterThanOrEqual(50);
    const pageOf = async (out: string) =>
      /"confusion":.*?\]\}/.exec(await readFile(join(out, "report.html"), "utf8"))![0];
    const confusion = await pageOf(whole);

    for (let kill = 1; kill <= operations; kill++) {
      const out = fresh();
      faulty.killAt(kill);
      await expect(run(out), `operation ${kill}`).rejects.toThrow("killed");
      faulty.restore();
      await markDead(out);
      const resumed = await run(out);
      const context = `killed at operation ${kill} of ${operations}`;
      expect(resumed.done, context).toBe(true);
      expect(resumed.numbers, context).toEqual(straight.numbers);
      expect(await weightsOf(out), context).toEqual(straight.numbers);
      const records = await recordsOf(out);
      const of = (kind: string) => records.filter((record) => record.kind === kind);
      expect(
        of("step").map(({ step }) => step),
        context,
      ).toEqual(Array.from({ length: 9 }, (_, i) => i + 1));
      const epochs = of("epoch").map(({ epoch, step }) => [epoch, step]);
      expect(epochs, context).toEqual([
        [1, 3],
        [2, 6],
        [3, 9],
      ]);
      expect(await pageOf(out), context).toBe(confusion);
      expect((await readdir(out)).sort(), context).toEqual(FILES);
    }
  }, 120_000);

  it("has each epoch once in its metrics, though it was interrupted at the epoch's end and then killed", async () => {
    const out = fresh();
    const controller = new AbortController();
    const model = new Tiny();
    const optimizer = sgd(model);
    await train({
      ...{ model, optimizer, data, validation, batchSize: 4, out, epochs: 3, compile: false, logEvery: 1 },
      signal: controller.signal,
      // The abort comes in the validation, when all steps of the epoch are done.
      onProgress: ({ kind }) => kind === "validation" && controller.abort(),
    });
    faulty.killWhen((operation, path) => operation === "open" && path.includes("checkpoint"));
    await expect(run(out)).rejects.toThrow("killed");
    faulty.restore();
    await markDead(out);
    await run(out);
    const epochs = (await recordsOf(out)).filter(({ kind }) => kind === "epoch");
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  });

  it("has each epoch once, though it ended within one and was made longer", async () => {
    const out = fresh();
    await run(out, { steps: 4 });
    expect((await recordsOf(out)).filter(({ kind }) => kind === "epoch")).toHaveLength(2);
    const { epochs } = await run(out, { steps: 9 });
    expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 3],
      [2, 6],
      [3, 9],
    ]);
  });
});

it("a training that is over, within an epoch, keeps its records when it is called again", async () => {
  const out = fresh();
  await run(out, { steps: 4 });
  const before = await recordsOf(out);
  expect(before.at(-1)).toMatchObject({ kind: "epoch", epoch: 2, step: 4 });
  const { epochs } = await run(out, { steps: 4 });
  expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
    [1, 3],
    [2, 4],
  ]);
  expect(await recordsOf(out)).toEqual(before);
});

describe("a training's folder", () => {
  const lock = async (out: string, content: object | string) => {
    await run(out);
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await writeFile(join(out, "training.lock"), text);
  };

  it("has one training at a time", async () => {
    const out = fresh();
    const both = await Promise.allSettled([run(out), run(out)]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [refused] = both.filter((outcome) => outcome.status === "rejected");
    expect(refused!.reason.message).toBe(
      `train: process ${process.pid} on ${hostname()} is training in this folder: it holds ${join(out, "training.lock")}. Name another folder or, if that training is over, delete the file.`,
    );
    expect((await readdir(out)).sort()).toEqual(FILES);
  });

  it("is taken over from a process that is dead", async () => {
    const out = fresh();
    await lock(out, { pid: deadPid, host: hostname() });
    expect((await run(out)).done).toBe(true);
  });

  it.skipIf(process.platform !== "linux")(
    "is taken over from a process whose pid another one has",
    async () => {
      const out = fresh();
      await lock(out, { pid: process.ppid, host: hostname(), started: "1" });
      expect((await run(out)).done).toBe(true);
    },
  );

  it("is not taken from a process that lives, or of another machine, or just before it writes its name", async () => {
    for (const holder of [{ pid: process.ppid, host: hostname() }, { pid: deadPid, host: "elsewhere" }, ""]) {
      const out = fresh();
      await lock(out, holder);
      await expect(run(out), JSON.stringify(holder)).rejects.toThrow(/is training in this folder/);
    }
  });

  it("is free again after a training that failed", async () => {
    const out = fresh();
    await run(out);
    await expect(run(out, { steps: 1 })).rejects.toThrow(/has 9 steps done/);
    expect((await readdir(out)).sort()).toEqual(FILES);
  });

  it("gets its weights back where they were deleted", async () => {
    const out = fresh();
    const { numbers } = await run(out);
    await rm(join(out, "model.safetensors"));
    await run(out);
    expect(await weightsOf(out)).toEqual(numbers);
  });

  it.each(["checkpoint.safetensors", "model.safetensors", "report.html", "metrics.jsonl"])(
    "on a full disk names %s, and is resumed when there is room",
    async (file) => {
      const out = fresh();
      faulty.fillAt((path) => path.includes(file));
      await expect(run(out)).rejects.toThrow(
        `train: ${join(out, file)} cannot be written: ENOSPC: no space left on device, write. Its old content is whole: make room, and resume.`,
      );
      faulty.restore();
      expect((await readdir(out)).filter((name) => /tmp|lock/.test(name))).toEqual([]);
      expect((await run(out)).done).toBe(true);
    },
  );
});

it("a training that is interrupted gives the means of the epoch that runs", async () => {
  const controller = new AbortController();
  const model = new Tiny();
  const optimizer = sgd(model);
  const losses: number[] = [];
  const result = await train({
    ...{ model, optimizer, data, batchSize: 4, epochs: 3, compile: false, logEvery: 1 },
    signal: controller.signal,
    onProgress: (event) => {
      if (event.kind !== "step") return;
      losses.push(event.loss);
      if (event.step === 5) controller.abort();
    },
  });
  expect(result.done).toBe(false);
  expect(result.epochs.at(-1)!.epoch).toBe(1);
  expect(result.interrupted).toMatchObject({ step: 5, epoch: 2 });
  // The fourth and fifth step, of four images each.
  expect(result.interrupted!.loss).toBeCloseTo((losses[3]! + losses[4]!) / 2, 4);
});
