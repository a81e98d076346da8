import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CIFAR10_CLASSES, IMAGENET_RESNET50_PACKAGE } from "@shadegrad/resnet";
import { chromium } from "playwright";
import { build, createLogger, createServer, type InlineConfig, preview, type ResolvedServerUrls } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mayUse, needing, photograph } from "../packages/resnet/test/published-data.ts";
import { entryPoints } from "../scripts/docs/reference.mjs";
import { chromiumLaunchOptions } from "../scripts/setup/chromium.mjs";
import { DENO, DENO_RUN, isDenoHere } from "../scripts/setup/deno.mjs";
import { buildPackages, installed, run, sample } from "./packed.ts";
import { ROOT } from "./source.ts";

// The packages as npm packs them, installed in a folder outside this repository.
const PACKAGES = ["kernels-wgsl", "tensor"];
let folder: string;

const WEIGHTS = join(ROOT, "packages", "resnet", "models", "resnet8-cifar10.safetensors");
const hasImageNet = await mayUse(IMAGENET_RESNET50_PACKAGE);
const FETCHED = isDenoHere() ? "" : ", which is not here: CI fetches it, and `npm test -- --project deno`";

beforeAll(() => {
  buildPackages();
  folder = installed(...PACKAGES);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the packages hold what is built, and say what they are", () => {
  for (const name of PACKAGES) {
    const files = readdirSync(join(folder, "node_modules", "@shadegrad", name));
    expect(files.sort()).toEqual(["LICENSE", "README.md", "dist", "dist-node", "package.json"]);
  }
});

test("the README's example for Node trains a network", () => {
  expectQuickstart(process.execPath);
});

test.skipIf(!isDenoHere())(`and so it does in Deno${FETCHED}`, () => {
  expectQuickstart(DENO, ...DENO_RUN);
});

describe("types resolve under tsc --strict", () => {
  const consumer = readFileSync(join(ROOT, "test", "consumer.ts"));
  const bundler = ["--module", "es2022", "--moduleResolution", "bundler"];
  const nodenext = ["--module", "nodenext"];

  test.each([
    ["TypeScript 6, as bundlers resolve", "typescript", bundler],
    ["TypeScript 6, as Node resolves", "typescript", nodenext],
    ["TypeScript 5, as bundlers resolve", "typescript-5", bundler],
    ["TypeScript 5, as Node resolves", "typescript-5", nodenext],
  ])("%s", (_, compiler, options) => {
    writeFileSync(join(folder, "consumer.ts"), consumer);
    const strict = ["--strict", "--exactOptionalPropertyTypes", "--noEmit", "--target", "es2022"];
    const tsc = join(ROOT, "node_modules", compiler, "bin", "tsc");
    expect(run(folder, process.execPath, tsc, ...strict, ...options, "consumer.ts")).toBe("");
  });
});

describe("the README's example for the browser trains a network on a Vite page without a plugin", () => {
  let page: string;
  const warnings: string[] = [];
  const customLogger = createLogger("warn");
  customLogger.warn = customLogger.warnOnce = (message) => void warnings.push(message);
  const config = (): InlineConfig => ({ configFile: false, root: page, customLogger });

  beforeAll(() => {
    page = join(folder, "page");
    mkdirSync(page);
    writeFileSync(join(page, "index.html"), sample('<pre id="log">'));
  });

  test("built", async () => {
    await build(config());
    const server = await preview({ ...config(), preview: { port: 0 } });
    try {
      await expectTraining(server.resolvedUrls);
    } finally {
      await server.close();
    }
    expect(warnings).toEqual([]);
  });

  test("served for development", async () => {
    const server = await createServer({ ...config(), server: { port: 0 } });
    try {
      await server.listen();
      await expectTraining(server.resolvedUrls);
    } finally {
      await server.close();
    }
    expect(warnings).toEqual([]);
  });
});

/** A program that imports every entry point, and one of them through another. */
const IMPORTS = `
import { readFileSync } from "node:fs";
const specifiers = JSON.parse(readFileSync("specifiers.json", "utf8"));
const resolved = {};
for (const specifier of specifiers) {
  resolved[specifier] = import.meta.resolve(specifier);
  await import(specifier);
}
const { Tensor, tensor } = await import("@shadegrad/tensor");
const { Linear } = await import("@shadegrad/tensor/nn");
const { init } = await import("@shadegrad/tensor");
await init({ quiet: true });
const sameTensor = new Linear(1, 1).forward(tensor([[1]])) instanceof Tensor;
console.log(JSON.stringify({ resolved, sameTensor }));
process.exit();
`;

describe("the package of ResNets, on its own", () => {
  let folder: string;
  const modules = () => readdirSync(join(folder, "node_modules"));

  beforeAll(() => {
    folder = installed("kernels-wgsl", "tensor", "resnet");
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("brings no picture decoder, no command line and no progress bars", () => {
    for (const name of ["sharp", "commander", "cli-progress"]) expect(modules()).not.toContain(name);
  });

  test("has every entry point for Node in few files, which are the same for all of them", () => {
    const specifiers = entryPoints().map(({ specifier }) => specifier);
    writeFileSync(join(folder, "specifiers.json"), JSON.stringify(specifiers));
    writeFileSync(join(folder, "imports.mjs"), IMPORTS);
    const { resolved, sameTensor } = JSON.parse(run(folder, process.execPath, "imports.mjs"));
    expect(specifiers.length).toBeGreaterThan(20);
    for (const [specifier, url] of Object.entries(resolved)) {
      const where = /\/shadegrad$/.test(specifier) ? "/dist/" : "/dist-node/";
      expect(url, specifier).toContain(where);
    }
    expect(sameTensor).toBe(true);
    for (const name of ["kernels-wgsl", "tensor", "resnet"]) {
      const files = readdirSync(join(folder, "node_modules", "@shadegrad", name, "dist-node"));
      const own = specifiers.filter((specifier) => new RegExp(`/${name}(?!.*/shadegrad$)`).test(specifier));
      // Files that entry points share have another ending, so that nobody can import them by the pattern of `exports`.
      expect(files.filter((file) => file.endsWith(".js"))).toHaveLength(own.length);
      expect(files.length).toBeLessThan(50);
    }
  });

  test("says how to install the decoder of pictures where there is none", () => {
    writeFileSync(join(folder, "three.mjs"), threeLines("resnet8", photograph("coffee.png")));
    expect(() => run(folder, process.execPath, "three.mjs")).toThrow("npm install sharp");
  });

  test.skipIf(!isDenoHere())(`classifies pixels in Deno in three lines${FETCHED}`, () => {
    const grey = `{ pixels: new Uint8Array(3 * 32 * 32).fill(128), width: 32, height: 32 }`;
    writeFileSync(join(folder, "pixels.mjs"), threeLines(WEIGHTS, "pixels").replace('"pixels"', grey));
    const [, label, probability] = /^(.*) ([\d.]+)$/m.exec(run(folder, DENO, ...DENO_RUN, "pixels.mjs"))!;
    expect(CIFAR10_CLASSES).toContain(label);
    expect(Number(probability)).toBeGreaterThan(0.1);
  });

  test("is one file as well, by which the README's example runs without a bundler", async () => {
    const page = join(folder, "without-bundler");
    mkdirSync(page);
    const file = join(folder, "node_modules", "@shadegrad", "resnet", "dist", "shadegrad.js");
    const text = readFileSync(file, "utf8");
    expect(text).not.toMatch(/^import\b(?!\()/m);
    cpSync(file, join(page, "shadegrad.js"));
    writeFileSync(join(page, "index.html"), withImportMap(sample('<pre id="log">'), sample("importmap")));
    const server = await preview({
      configFile: false,
      appType: "mpa",
      build: { outDir: page },
      preview: { port: 0 },
    });
    try {
      await expectTraining(server.resolvedUrls);
    } finally {
      await server.close();
    }
  });

  test("classifies a picture on a page in three lines", async () => {
    const page = join(folder, "page");
    mkdirSync(page);
    cpSync(photograph("coffee.png"), join(page, "public", "photo.jpg"));
    cpSync(WEIGHTS, join(page, "public", "resnet8.safetensors"));
    const script = threeLines("/resnet8.safetensors", "/photo.jpg").replace(
      /^console.log.*/m,
      'document.body.append(JSON.stringify(best));\ndocument.body.dataset.done = "true";',
    );
    writeFileSync(join(page, "index.html"), `<!doctype html><body><script type="module">${script}</script>`);
    await build({ configFile: false, root: page, logLevel: "error" });
    const server = await preview({ configFile: false, root: page, preview: { port: 0 } });
    try {
      const { label, probability } = JSON.parse(await textOf(server.resolvedUrls, "body"));
      expect(CIFAR10_CLASSES).toContain(label);
      expect(probability).toBeGreaterThan(0.1);
      expect(probability).toBeLessThanOrEqual(1);
    } finally {
      await server.close();
    }
  });
});

describe("the command line's package", () => {
  let folder: string;

  beforeAll(() => {
    folder = installed("kernels-wgsl", "tensor", "resnet", "cli");
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("classifies as a command, and its library in three lines", () => {
    const [line] = run(
      folder,
      "npx",
      "shadegrad",
      "classify",
      photograph("coffee.png"),
      "--json",
      "--weights",
      WEIGHTS,
    )
      .trim()
      .split("\n");
    const printed = JSON.parse(line!);
    writeFileSync(join(folder, "three.mjs"), threeLines("resnet8", photograph("coffee.png")));
    const [, label, probability] = /^(.*) ([\d.]+)$/m.exec(run(folder, process.execPath, "three.mjs"))!;
    expect(JSON.stringify(printed)).toContain(`"${label}"`);
    expect(Number(probability)).toBeGreaterThan(0.1);
  });

  test.skipIf(!hasImageNet)(
    `finds an Egyptian cat with ImageNet's ResNet-50${needing(hasImageNet, "95 MB from npm")}`,
    () => {
      writeFileSync(join(folder, "three.mjs"), threeLines("resnet50", photograph("chelsea.png")));
      const [, label, probability] = /^(.*) ([\d.]+)$/m.exec(run(folder, process.execPath, "three.mjs"))!;
      expect(label).toBe("Egyptian cat");
      expect(Number(probability)).toBeCloseTo(0.78, 2);
    },
  );
});

/** Runs the README's example for Node by a command, and expects its last loss to be small. */
function expectQuickstart(...command: [string, ...string[]]): void {
  writeFileSync(join(folder, "quickstart.mjs"), sample("new SGD"));
  const output = run(folder, ...command, "quickstart.mjs");
  const losses = [...output.matchAll(/^\d+ (\d\S+)$/gm)].map(([, loss]) => Number(loss));
  expect(losses.at(-1), output).toBeLessThan(0.1); // from ln 2
}

/** The README's three lines, with another net and picture. */
function threeLines(net: string, picture: string): string {
  return sample("await load(")
    .replace('"resnet50"', JSON.stringify(net))
    .replace('"photo.jpg"', JSON.stringify(picture));
}

const withImportMap = (page: string, map: string): string =>
  page.replace('<script type="module">', (script) => `${map}${script}`);

/** Opens the page, and reads its loss when it says that it is done. */
async function expectTraining(urls: ResolvedServerUrls | null): Promise<void> {
  const text = await textOf(urls, "#log");
  expect(Number(/loss (\S+)/.exec(text)?.[1]), text).toBeLessThan(0.1); // from about 0.5
}

/** Text of an element of the page once `body[data-done]` is there. */
async function textOf(urls: ResolvedServerUrls | null, selector: string): Promise<string> {
  const browser = await chromium.launch(chromiumLaunchOptions());
  try {
    const page = await browser.newPage();
    const failed = new Promise<never>((_, reject) => page.on("pageerror", reject));
    await page.goto(urls!.local[0]!);
    await Promise.race([
      page.waitForSelector("body[data-done]", { state: "attached", timeout: 100_000 }),
      failed,
    ]);
    return (await page.locator(selector).innerText()).trim();
  } finally {
    await browser.close();
  }
}
