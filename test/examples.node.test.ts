import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { CIFAR10_CLASSES } from "@shadegrad/resnet";
import { type Browser, chromium } from "playwright";
import { build, preview } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumLaunchOptions } from "../scripts/setup/chromium.mjs";
import { ROOT } from "./source.ts";

// The programs of the guides, run as they are.
const EXAMPLES = join(ROOT, "examples");
const PHOTOGRAPH = join(EXAMPLES, "photographs", "coffee.png");
const WEIGHTS = join(ROOT, "packages", "resnet", "models", "resnet8-cifar10.safetensors");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shadegrad-examples-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (name: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, [join(EXAMPLES, name), ...args], { cwd: ROOT });

test("a net learns three classes from 96 pictures, and leaves as ONNX", async () => {
  const [weights, onnx] = [join(folder, "shapes.safetensors"), join(folder, "shapes.onnx")];
  const { stdout } = await run("fine-tune.mjs", weights);
  const [, right] = /^(\d+) % of 60/m.exec(stdout)!;
  expect(Number(right), stdout).toBeGreaterThanOrEqual(90);
  expect(stdout).toContain("knows square, disc, cross");

  await run("export.mjs", weights, onnx);
  const bytes = readFileSync(onnx);
  expect(bytes.length).toBeGreaterThan(0.9 * readFileSync(WEIGHTS).length);
  expect(bytes.includes('["square","disc","cross"]')).toBe(true);
});

describe("the service", () => {
  let url: string;
  let stop: () => void;

  beforeAll(async () => {
    const child = spawn(process.execPath, [join(EXAMPLES, "serve.mjs"), "resnet8", "0"], { cwd: ROOT });
    stop = () => child.kill();
    for await (const line of createInterface({ input: child.stdout })) {
      const port = /^listening on (\d+)$/.exec(line)?.[1];
      if (!port) continue;
      url = `http://127.0.0.1:${port}`;
      break;
    }
  });

  afterAll(() => stop());

  const post = async (body: Uint8Array<ArrayBuffer>) => {
    const response = await fetch(url, { method: "POST", body });
    return { status: response.status, value: await response.json() };
  };

  test("answers requests that come at once", async () => {
    const pictures = ["coffee.png", "chelsea.png", "coffee.png"].map((name) =>
      Uint8Array.from(readFileSync(join(EXAMPLES, "photographs", name))),
    );
    const [first, second, third] = await Promise.all(pictures.map(post));
    expect(first!.status).toBe(200);
    expect(first!.value).toHaveLength(3);
    expect(CIFAR10_CLASSES).toContain(second!.value[0].label);
    expect(third!.value).toEqual(first!.value);
  });

  test("says what is wrong with a body that is no picture", async () => {
    const { status, value } = await post(Uint8Array.of(1, 2, 3, 4));
    expect(status).toBe(400);
    expect(value.error).not.toBe("");
  });

  test("says how large a picture may be, and goes on", async () => {
    const { status, value } = await post(new Uint8Array(21e6));
    expect([status, value]).toEqual([413, { error: "a picture may have 20 MB" }]);
    expect((await post(Uint8Array.of(1, 2, 3, 4))).status).toBe(400);
  });
});

describe("the page", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ ...chromiumLaunchOptions(), headless: true });
  }, 300_000);

  afterAll(() => browser?.close());

  test("built by Vite, names a class", async () => {
    const page = join(folder, "page");
    cpSync(join(EXAMPLES, "page"), page, { recursive: true });
    cpSync(WEIGHTS, join(page, "public", "resnet8-cifar10.safetensors"));
    await build({
      configFile: false,
      root: page,
      logLevel: "error",
      resolve: { alias: { "@shadegrad/resnet": join(ROOT, "packages", "resnet", "dist", "index.js") } },
    });
    await expectAnswer(join(page, "dist"));
  });

  test("without a bundler, names a class", async () => {
    const page = join(folder, "page-without-bundler");
    mkdirSync(page);
    cpSync(join(EXAMPLES, "page-without-bundler"), page, { recursive: true });
    cpSync(join(ROOT, "packages", "resnet", "dist", "shadegrad.js"), join(page, "shadegrad.js"));
    cpSync(WEIGHTS, join(page, "resnet8-cifar10.safetensors"));
    await expectAnswer(page);
  });

  /** Serves the folder as it is, and gives its page a photograph. */
  async function expectAnswer(outDir: string): Promise<void> {
    const server = await preview({
      configFile: false,
      appType: "mpa",
      build: { outDir },
      preview: { port: 0 },
    });
    const page = await browser.newPage();
    page.setDefaultTimeout(100_000);
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    try {
      await page.goto(server.resolvedUrls!.local[0]!);
      await page.getByText("Choose a picture.").waitFor();
      await page.locator("input").setInputFiles(PHOTOGRAPH);
      await page.locator("#answer", { hasText: "%" }).waitFor();
      const [label] = (await page.locator("#answer").textContent())!.split(",");
      expect(CIFAR10_CLASSES).toContain(label);
      expect(errors).toEqual([]);
    } finally {
      await page.close();
      await server.close();
    }
  }
});
