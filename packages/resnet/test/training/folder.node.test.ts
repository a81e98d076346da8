import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { init } from "@shadegrad/tensor";
import { openSafetensors } from "@shadegrad/tensor/formats";
import { afterAll, beforeAll, expect, it } from "vitest";
import { train } from "../../src/index.ts";
import { FaultyFiles } from "./faulty-files.ts";
import { colours, Small, sgd } from "./small.ts";

let out: string;
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), "shadegrad-training-"));
  await init({ quiet: true });
});
afterAll(() => rm(out, { recursive: true, force: true }));

const run = (folder: string, more: object = {}) => {
  const model = new Small();
  const options = { model, data: colours(16), optimizer: sgd(model), batchSize: 8, epochs: 1, logEvery: 1 };
  return train({ ...options, out: join(out, folder), onProgress: () => {}, ...more });
};
const kindsAndSteps = async (folder: string) =>
  (await readFile(join(out, folder, "metrics.jsonl"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map(({ kind, step }) => `${kind} ${step}`);

it("weights note the settings of their training, and its steps", async () => {
  await run("noted", { settings: { model: "small" } });
  const file = await openSafetensors(join(out, "noted", "model.safetensors"));
  await file.close();
  expect(JSON.parse(file.metadata.get("training")!)).toMatchObject({
    ...{ model: "small", images: 16, epochs: 1, optimizer: "SGD", lr: "0.05", step: 2 },
  });
});

it("a training whose metrics were deleted goes on, with those of the new steps", async () => {
  await run("deleted");
  await rm(join(out, "deleted", "metrics.jsonl"));
  await run("deleted", { epochs: 2, resume: true });
  expect(await kindsAndSteps("deleted")).toEqual(["start 2", "step 3", "step 4", "epoch 4"]);
});

it("metrics that cannot be read are no reason to forget them", async () => {
  await run("unreadable");
  const files = process.getBuiltinModule("node:fs/promises") as unknown as Record<string, unknown>;
  const real = files.readFile as (...args: unknown[]) => Promise<unknown>;
  const denied = Object.assign(new Error("EACCES: permission denied, open"), { code: "EACCES" });
  files.readFile = (...args: unknown[]) =>
    String(args[0]).endsWith("metrics.jsonl") ? Promise.reject(denied) : real(...args);
  try {
    await expect(run("unreadable", { epochs: 2, resume: true })).rejects.toThrow("EACCES");
  } finally {
    files.readFile = real;
  }
  expect(await kindsAndSteps("unreadable")).toEqual(["start 0", "step 1", "step 2", "epoch 2"]);
});

it("an error of a full disk has the system's own as cause", async () => {
  const faulty = new FaultyFiles();
  faulty.fillAt((path) => path.includes("metrics"));
  try {
    const error = await run("full").catch((error: Error) => error);
    expect((error as Error).message).toContain("cannot be written");
    expect((error as Error).cause).toMatchObject({ code: "ENOSPC" });
  } finally {
    faulty.restore();
  }
});

it("an error of a damaged checkpoint has the reader's own as cause", async () => {
  await run("damaged");
  const path = join(out, "damaged", "checkpoint.safetensors");
  await writeFile(path, (await readFile(path)).subarray(0, 5000));
  const error = await run("damaged", { resume: true }).catch((error: Error) => error);
  expect((error as Error).message).toMatch(/is damaged/);
  expect((error as Error).cause).toBeInstanceOf(Error);
});
