import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Tensor } from "@shadegrad/tensor";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { complaints } from "../packages/demo/test/axe.ts";
import { entryPoints, hasExports, pageOf } from "../scripts/docs/reference.mjs";
import { serveDocs } from "../scripts/docs/serve.mjs";
import { chromiumLaunchOptions } from "../scripts/setup/chromium.mjs";
import { ROOT } from "./source.ts";

// The site of guides and reference. Its build fails at a dead link, and at an include of what is not there.
let site: Awaited<ReturnType<typeof serveDocs>>;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let wrong: string[] = [];

beforeAll(async () => {
  execFileSync(process.execPath, [join(ROOT, "scripts", "docs.mjs"), "--build"], { stdio: "inherit" });
  site = await serveDocs();
  browser = await chromium.launch({ ...chromiumLaunchOptions(), headless: true });
}, 1_200_000);

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

test("every export is in the reference", () => {
  const entries = entryPoints().filter(hasExports);
  const options = { ...compilerOptions(), noEmit: true };
  const program = ts.createProgram(
    entries.map(({ source }) => source),
    options,
  );
  const checker = program.getTypeChecker();
  const missing = entries.flatMap(({ specifier, source }) => {
    const text = readFileSync(join(ROOT, "docs", `${pageOf(specifier)}.md`), "utf8").replaceAll("\\", "");
    const headings = new Set(
      [...text.matchAll(/^#{2,4} (?:`abstract` )?(\w+)/gim)].map(([, name]) => name!.toLowerCase()),
    );
    const namespaces = new Set([...text.matchAll(/^- \[(\w+)\]/gm)].map(([, name]) => name!.toLowerCase()));
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(source)!)!;
    const names = checker.getExportsOfModule(symbol).map(({ name }) => name);
    expect(names.length, specifier).toBeGreaterThan(0);
    return names
      .filter((name) => !headings.has(name.toLowerCase()) && !namespaces.has(name.toLowerCase()))
      .map((name) => `${specifier}: ${name}`);
  });
  expect(missing).toEqual([]);
});

test("every method of the opt-in import is in the reference", async () => {
  const { prototype } = Tensor;
  const own = new Set(Object.getOwnPropertyNames(prototype));
  await import("@shadegrad/tensor/methods");
  const added = Object.getOwnPropertyNames(prototype).filter((name) => !own.has(name));
  const text = readFileSync(join(ROOT, "docs", `${pageOf("@shadegrad/tensor/methods")}.md`), "utf8");
  const listed = [...text.matchAll(/^\| `x\.(\w+)\(/gm)].map(([, name]) => name);
  expect(added.length).toBeGreaterThan(50);
  expect(listed.sort()).toEqual(added.sort());
});

function compilerOptions(): ts.CompilerOptions {
  const path = join(ROOT, "docs", "tsconfig.json");
  return ts.getParsedCommandLineOfConfigFile(
    path,
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic() {} },
  )!.options;
}

describe("in a browser", () => {
  const open = async (path: string, options: Parameters<Browser["newPage"]>[0] = {}) => {
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    page = await context.newPage();
    page.setDefaultTimeout(100_000);
    wrong = [];
    page.on("pageerror", ({ message }) => wrong.push(message));
    page.on("request", (request) => {
      if (new URL(request.url()).hostname !== "127.0.0.1") wrong.push(`left the machine: ${request.url()}`);
    });
    await page.goto(site.url + path);
    await page.locator("h1").first().waitFor();
  };
  const closed = async () => {
    await context.close();
    expect(wrong).toEqual([]);
  };

  const PAGES = [
    ["guides/residual-learning.html", "light"],
    ["guides/kernel.html", "dark"],
    ["reference/@shadegrad/tensor/optim.html", "light"],
  ] as const;
  test.each(PAGES)("%s is accessible in %s", async (path, colorScheme) => {
    await open(path, { colorScheme });
    expect(await complaints(page)).toEqual([]);
    await closed();
  });

  test("a phone shows it without scrolling sideways", async () => {
    await open("guides/kernel.html", { viewport: { width: 390, height: 844 } });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await closed();
  });

  test("search finds an op", async () => {
    await open("");
    await page
      .getByRole("button", { name: /search/i })
      .first()
      .click();
    await page.getByRole("searchbox").fill("crossEntropy");
    await page.locator(".result").first().waitFor();
    expect(await page.locator(".result").first().textContent()).toMatch(/crossEntropy/i);
    await closed();
  });

  test("nets are trained in the guide's page", async () => {
    await open("guides/residual-learning.html");
    await page.getByRole("button", { name: "Train the four nets here" }).click();
    await page.locator(".cell .note", { hasText: /Step ([3-9]|\d\d+) of/ }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator('.cell[data-state="done"]').waitFor();
    await closed();
  });
});
