import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shadegrad } from "../packages/cli/test/shadegrad.ts";
import { shapes } from "../packages/demo/src/worker/train/shapes.ts";
import { ROOT } from "./source.ts";

// The commands of the guide, run as they are written, on pictures that the page's generator draws.
const sharp = createRequire(join(ROOT, "packages", "resnet", "package.json"))("sharp");
const before = process.cwd();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "shadegrad-fine-tuning-"));
  const weights = join(ROOT, "packages", "resnet", "models", "resnet8-cifar10.safetensors");
  cpSync(weights, join(folder, "resnet8.safetensors"));
  await draw(300, 1, join(folder, "shapes", "train"));
  await draw(100, 2, join(folder, "shapes", "test"));
  process.chdir(folder); // paths of the guide are relative
});

afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

/** Pictures of all classes as PNG, 96 × 96, in a subfolder each; a seed gives the same ones. */
async function draw(count: number, seed: number, into: string): Promise<void> {
  const { images, labels, classes, shape } = shapes(count, seed);
  const [H, W, channels] = shape;
  const size = H * W * channels;
  for (const name of classes) mkdirSync(join(into, name), { recursive: true });
  await Promise.all(
    Array.from(labels, (label, i) =>
      sharp((images as Uint8Array).subarray(i * size, (i + 1) * size), {
        raw: { width: W, height: H, channels },
      })
        .resize(3 * W, 3 * H, { kernel: "nearest" })
        .toFile(join(into, classes[label]!, `${i}.png`)),
    ),
  );
}

/** Arguments of the guide's commands below a heading, in order. */
function commandsBelow(heading: string): string[][] {
  const page = readFileSync(join(ROOT, "docs", "guides", "train.md"), "utf8");
  const text = page.replaceAll(/ *\\\n */g, " "); // a shell goes on after a backslash
  const [, section] = text.split(`\n## ${heading}\n`);
  return [...section!.split("\n## ")[0]!.matchAll(/^npx shadegrad (.*)$/gm)].map(([, line]) =>
    line!.split(" "),
  );
}

test("the guide's commands teach a net of CIFAR-10 ten shapes: over 90 % of others are right", async () => {
  const commands = commandsBelow("Fine-tune");
  expect(commands.map(([name]) => name)).toEqual(["train", "train", "eval"]);
  const top1: number[] = [];
  for (const args of commands) {
    const { status, out, err } = await shadegrad(...args);
    expect(status, err).toBe(0);
    top1.push(Number(/^top 1 +(\d+\.\d+) %/m.exec(out)![1]));
  }
  const [head, whole, evaluated] = top1 as [number, number, number];
  expect(head).toBeGreaterThan(80);
  expect(whole).toBeGreaterThanOrEqual(90);
  expect(evaluated).toBe(whole);
});
