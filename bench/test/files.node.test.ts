import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { resnet20, resnet50 } from "@shadegrad/resnet";
import { init } from "@shadegrad/tensor";
import { Conv2d } from "@shadegrad/tensor/nn";
import { expect, test } from "vitest";
import { rows } from "../index.mjs";

const FOLDER = join(import.meta.dirname, "..", "kernels", "rows");

test("every file of rows is in the list of all", () => {
  const index = readFileSync(join(FOLDER, "index.mjs"), "utf8");
  const files = readdirSync(FOLDER).filter((file) => {
    return (
      file !== "index.mjs" &&
      /\b(?:kernelRow|opRow|gradRow|prepare)\b/.test(readFileSync(join(FOLDER, file), "utf8"))
    );
  });
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) expect(index).toContain(`"./${file}"`);
});

test("every convolution of a ResNet-50 and of a ResNet-20 has a row", async () => {
  await init({ quiet: true });
  const names = rows().map(({ name }) => name);
  for (const [model, N] of [
    [resnet50(), 1],
    [resnet20(), 32],
  ] as const) {
    for (const conv of convolutionsIn(model)) {
      const [R, , C, O] = conv.weight.shape as [number, number, number, number];
      const start = `conv2d ${R}×${R}${conv.stride === 1 ? "" : ` / ${conv.stride}`} ${C}→${O} `;
      const found = names.filter((name) => name.startsWith(start) && name.endsWith(`×${N}`));
      expect(found.length, `${start}×${N}`).toBeGreaterThan(0);
    }
  }
});

function convolutionsIn(part: object, seen = new Set<object>()): Conv2d[] {
  seen.add(part);
  if (part instanceof Conv2d) return [part];
  return Object.values(part).flatMap((value) =>
    typeof value === "object" && value !== null && !seen.has(value) && !ArrayBuffer.isView(value)
      ? convolutionsIn(value, seen)
      : [],
  );
}
