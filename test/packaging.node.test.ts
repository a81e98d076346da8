import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright";
import { build, createLogger, createServer, type InlineConfig, preview, type ResolvedServerUrls } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumLaunchOptions } from "../scripts/setup/chromium.mjs";
import { ROOT } from "./source.ts";

// The packages as npm packs them, installed in a folder outside this repository.
const folder = mkdtempSync(join(tmpdir(), "shadegrad-packaging-"));
const readme = readFileSync(join(ROOT, "README.md"), "utf8");
const example = (language: string) => new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "ms").exec(readme)![1]!;

const PACKAGES = ["kernels-wgsl", "tensor"];

beforeAll(() => {
  npm(ROOT, "run", "build", "--", "packages");
  const tarballs = PACKAGES.map((name) => {
    const packed = npm(
      join(ROOT, "packages", name),
      "pack",
      "--ignore-scripts",
      "--json",
      "--pack-destination",
      folder,
    );
    return `./${JSON.parse(packed)[0].filename}`;
  });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "stranger", private: true, type: "module" }),
  );
  npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the packages hold what is built, and say what they are", () => {
  for (const name of PACKAGES) {
    const files = readdirSync(join(folder, "node_modules", "@shadegrad", name));
    expect(files.sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"]);
  }
});

test("the README's example for Node trains a network", () => {
  writeFileSync(join(folder, "quickstart.mjs"), example("js"));
  const output = run(folder, process.execPath, "quickstart.mjs");
  const losses = [...output.matchAll(/^\d+ (\d\S+)$/gm)].map(([, loss]) => Number(loss));
  expect(losses.at(-1), output).toBeLessThan(0.1); // from ln 2
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
  const page = join(folder, "page");
  const warnings: string[] = [];
  const customLogger = createLogger("warn");
  customLogger.warn = customLogger.warnOnce = (message) => void warnings.push(message);
  const config: InlineConfig = { configFile: false, root: page, customLogger };

  beforeAll(() => {
    mkdirSync(page);
    writeFileSync(join(page, "index.html"), example("html"));
  });

  test("built", async () => {
    await build(config);
    const server = await preview({ ...config, preview: { port: 0 } });
    try {
      await expectTraining(server.resolvedUrls);
    } finally {
      await server.close();
    }
    expect(warnings).toEqual([]);
  });

  test("served for development", async () => {
    const server = await createServer({ ...config, server: { port: 0 } });
    try {
      await server.listen();
      await expectTraining(server.resolvedUrls);
    } finally {
      await server.close();
    }
    expect(warnings).toEqual([]);
  });
});

/** Opens the page, and reads its loss when it says that it is done. */
async function expectTraining(urls: ResolvedServerUrls | null): Promise<void> {
  const browser = await chromium.launch(chromiumLaunchOptions());
  try {
    const page = await browser.newPage();
    const failed = new Promise<never>((_, reject) => page.on("pageerror", reject));
    await page.goto(urls!.local[0]!);
    await Promise.race([
      page.waitForSelector("body[data-done]", { state: "attached", timeout: 100_000 }),
      failed,
    ]);
    const text = (await page.textContent("#log")) ?? "";
    expect(Number(/loss (\S+)/.exec(text)?.[1]), text).toBeLessThan(0.1); // from about 0.5
  } finally {
    await browser.close();
  }
}

function npm(cwd: string, ...args: string[]): string {
  return run(cwd, "npm", ...args);
}

function run(cwd: string, command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: "utf8",
      stdio: "pipe",
      shell: process.platform === "win32",
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  }
}
