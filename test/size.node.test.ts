import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { build } from "../scripts/setup/build.mjs";
import { stripShader } from "../scripts/setup/shaders.mjs";
import { BUDGET, bundleSize, NOT_ON_A_GPU, ON_DEMAND, PREDICT_BUDGET } from "../scripts/size/bundle.mjs";
import { filesBelow, ROOT } from "./source.ts";

test("a ResNet-50, predicted with and trained, is at most 72.0 KB of download", async () => {
  await build();
  const page = join(ROOT, "scripts", "size", "page.mjs");
  const { gzip, bytes, modules } = await bundleSize(page, { without: NOT_ON_A_GPU });
  console.log(`${(gzip / 1000).toFixed(1)} KB gzip`);
  expect(gzip).toBeLessThanOrEqual(BUDGET);
  // Nothing of it was dropped by mistake.
  expect(bytes).toBeGreaterThan(100_000);
  const names = modules.map(({ name }) => name).join("\n");
  for (const part of [
    "resnet: zoo.js",
    "tensor: compile/",
    "tensor: core/autograd.js",
    "kernels-wgsl: conv2d/",
  ]) {
    expect(names).toContain(part);
  }
  expect(names).not.toMatch(/rasteriser|matrixUnits|Matrix\.wgsl/);
  const software = await bundleSize(page, { without: ON_DEMAND });
  expect(software.modules.map(({ name }) => name).join()).toContain("kernels-wgsl: rasteriser/");
  expect(software.gzip).toBeGreaterThan(gzip);
});

const shaders = filesBelow("packages/kernels-wgsl/src").filter((path) => path.endsWith(".wgsl"));

test("shaders are built without comments and needless spaces, with every token on its line", () => {
  expect(shaders.length).toBeGreaterThan(40);
  // Comments are cut out here by walking along the text, which is another way than the build's.
  const tokens = (line: string) => line.match(/[\w.]+|[^\s\w.]/g) ?? [];
  for (const path of shaders) {
    const source = readFileSync(join(ROOT, path), "utf8");
    const stripped = stripShader(source);
    expect(stripped, path).not.toMatch(/\/[/*]/);
    expect(stripped.length, path).toBeLessThan(source.length);
    expect(stripped.split("\n").map(tokens), path).toEqual(uncommented(source).split("\n").map(tokens));
  }
});

function uncommented(source: string): string {
  let text = "";
  let inside: "" | "line" | "block" = "";
  for (let i = 0; i < source.length; i++) {
    const two = source.slice(i, i + 2);
    if (source[i] === "\n") {
      if (inside === "line") inside = "";
      text += "\n";
    } else if (!inside && (two === "//" || two === "/*")) {
      inside = two === "//" ? "line" : "block";
      i++;
    } else if (inside === "block" && two === "*/") {
      inside = "";
      i++;
    } else if (!inside) text += source[i];
  }
  return text;
}

test("what is not a comment stays", () => {
  const source = "  // one\nlet a = b / c; // two\n/* three\n  four */ let d = e - -f;\t\n";
  expect(stripShader(source)).toBe("\nlet a=b/c;\n\nlet d=e- -f;\n");
});

test("a page that only predicts downloads no gradient that has a kernel of its own", async () => {
  await build();
  const { code, gzip, modules } = await bundleSize(join(ROOT, "scripts", "size", "predict.mjs"), {
    without: NOT_ON_A_GPU,
  });
  console.log(`${(gzip / 1000).toFixed(1)} KB gzip`);
  expect(gzip).toBeLessThanOrEqual(PREDICT_BUDGET);
  const names = modules.filter(({ bytes }) => bytes > 0).map(({ name }) => name);
  expect(names).toContain("kernels-wgsl: conv2d/forward.js");
  expect(names.filter((name) => /backward\/|Grad(Tiles)?\.js|gradients\.js/.test(name))).toEqual([]);
  // A hole of average pooling, which is in one module with the other.
  expect(code).not.toContain("COUNT_PAD");
});
