import { type ChildProcess, spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Said } from "./shadegrad.ts";

// The program as it is built, in a process of its own.
const PROGRAM = join(import.meta.dirname, "../bin/shadegrad.mjs");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shadegrad-program-"));
  for (const [i, name] of ["dark", "light"].entries()) {
    await mkdir(join(folder, "data", name), { recursive: true });
    const background = { r: 200 * i, g: 200 * i, b: 200 * i };
    const create = { width: 32, height: 32, channels: 3, background } as const;
    for (let n = 0; n < 4; n++) await sharp({ create }).toFile(join(folder, "data", name, `${n}.png`));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(...args: readonly string[]): { child: ChildProcess; said: Said; end: Promise<Said> } {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder });
  const said = { status: -1, out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));
  const end = new Promise<Said>((resolve) =>
    child.on("close", (status) => resolve({ ...said, status: status ?? -1 })),
  );
  return { child, said, end };
}

test("it ends as it should while the driver still compiles, each time", async () => {
  for (let time = 0; time < 5; time++)
    expect(await start("summary", "resnet8", "--json").end).toMatchObject({ status: 0 });
});

test("results are on standard output alone, and exit codes are passed on", async () => {
  const { status, out, err } = await start("summary", "resnet8", "--json").end;
  expect(status, err).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ model: "resnet8" });
  expect(err).not.toContain("artificially reduced"); // Dawn says so of every software adapter
  expect((await start("summary", "resnet9").end).status).toBe(2);
  const missing = await start("classify", "none.png", "--weights", "none.pt").end;
  expect([missing.status, missing.out]).toEqual([1, ""]);
  expect(missing.err).toContain("shadegrad classify: none.pt: there is no such file.");
}, 300_000);

test.skipIf(process.platform === "win32")(
  "a picture from a pipe",
  async () => {
    const picture = join(folder, "data", "dark", "0.png");
    const fromFile = await start("classify", picture, "--model", "resnet8", "--json").end;
    const { child, end } = start("classify", "-", "--model", "resnet8", "--json");
    createReadStream(picture).pipe(child.stdin!);
    const fromPipe = await end;
    expect(fromPipe.status, fromPipe.err).toBe(0);
    const top = ({ out }: Said) => JSON.parse(out).images[0].top;
    expect(top(fromPipe)).toEqual(top(fromFile));
  },
  300_000,
);

test.skipIf(process.platform === "win32")(
  "Ctrl-C ends a training with a checkpoint, from which it goes on",
  async () => {
    const options = ["--model", "resnet8", "--dataset", "data", "--batch", "4", "--lr", "0.01"];
    const train = ["train", ...options, "--out", "run", "--resume", "--schedule", "constant"];
    const { child, said, end } = start(...train, "--epochs", "10000");
    while (!said.err.includes("epoch 2/")) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (child.exitCode !== null) break;
    }
    child.kill("SIGINT");
    const { status, out, err } = await end;
    expect(status, err).toBe(130);
    const [, done] = /^stopped +(\d+) of 20000 steps/.exec(out)!;
    expect(Number(done)).toBeGreaterThanOrEqual(4);
    expect(err).toContain("The same command with --resume continues.");
    await stat(join(folder, "run", "checkpoint.safetensors"));

    const steps = String(Number(done) + 3);
    const on = await start(...train, "--steps", steps, "--json").end;
    expect(on.status, on.err).toBe(0);
    expect(JSON.parse(on.out)).toMatchObject({ done: true, step: Number(steps) });
  },
  300_000,
);
