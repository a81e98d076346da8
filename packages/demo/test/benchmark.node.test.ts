import { readFileSync } from "node:fs";
import { rows } from "@shadegrad/bench";
import type { Page } from "playwright";
import { expect, test } from "vitest";
import { SHORT_NAMES } from "../src/benchmark/selection.ts";
import type { BenchmarkReport } from "../src/worker-client/messages/benchmark.ts";
import { complaints } from "./axe.ts";
import { loseDevice, openPage, PATIENCE, pressOnceShown, withPage } from "./page.ts";

withPage();

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const measured = (page: Page) => page.getByRole("table").locator("tbody tr");
const ended = (page: Page) => button(page, "Start again").waitFor();

/** The view, with rows of a kind whose names contain a text. */
async function open(kind: RegExp, text: string) {
  const opened = await openPage({ at: "#/benchmark" });
  const { page } = opened;
  await page.locator("option", { hasText: /^Everything \([1-9]/ }).waitFor({ state: "attached" });
  const title = await page.locator("option", { hasText: kind }).first().textContent();
  await page.getByRole("combobox", { name: "Kernels" }).selectOption({ label: title! });
  await page.getByRole("searchbox").fill(text);
  await page.waitForFunction(
    (text) => [...document.querySelectorAll(".rows li")].every((row) => row.textContent!.includes(text)),
    text,
  );
  return opened;
}

test("the short choice is of rows that there are", () => {
  const names = rows().map(({ name }) => name);
  expect(SHORT_NAMES.filter((name) => !names.includes(name))).toEqual([]);
});

test("rows are chosen by their kind and by their names", async () => {
  const { page } = await open(/^Everything/, "8² 64 ×32");
  const names = rows().map(({ name }) => name);
  const lists = (wanted: string[]) =>
    expect.poll(() => page.locator(".rows li").allTextContents(), { timeout: PATIENCE }).toEqual(wanted);
  await lists(names.filter((name) => name.includes("8² 64 ×32")));
  await page.getByRole("searchbox").fill("");
  await lists(names);
  await page.getByRole("combobox", { name: "Kernels" }).selectOption({ label: "conv2d dw (32)" });
  await lists(names.filter((name) => name.startsWith("conv2d dw ")));
  await page.getByRole("searchbox").fill("no such kernel");
  await page.getByText("No row is selected").waitFor();
  expect(await button(page, "Start").isDisabled()).toBe(true);
});

test("rows come in with figures, beside the adapter's peaks and under its roof, and are downloaded as they are shown", async () => {
  const { page } = await open(/^Everything/, "8² 64 ×32");
  const names = await page.locator(".rows li").allTextContents();
  await button(page, "Start").click();
  const atFirstRow = await page.waitForFunction(() => {
    const [json] = [...document.querySelectorAll("button")].filter((button) =>
      /JSON/.test(button.textContent!),
    );
    return document.querySelector("tbody tr") && { isDisabled: json!.disabled };
  });
  expect(await atFirstRow.jsonValue()).toEqual({ isDisabled: true });
  await ended(page);

  expect(await measured(page).locator("th").allTextContents()).toEqual(names);
  expect(await page.getByRole("columnheader").allTextContents()).toContain("GFLOP/s");
  for (const row of await measured(page).all()) {
    const [variant, ...figures] = await row.locator("td").allTextContents();
    expect(variant).not.toBe("");
    expect(figures).toHaveLength(7);
    for (const figure of figures) expect(figure).toMatch(/^\d+(\.\d)?( %)?$/);
    expect(Number(figures[0])).toBeGreaterThan(0);
  }
  expect(await page.locator(".plane .point").count()).toBe(names.length);
  const titles = await page.locator(".plane .point title").allTextContents();
  expect(titles.map((title) => names.find((name) => title.startsWith(`${name}, `)))).toEqual(names);

  const downloading = page.waitForEvent("download");
  await button(page, "JSON").click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^shadegrad-bench-\d{4}-\d\d-\d\d\.json$/);
  const report: BenchmarkReport = JSON.parse(readFileSync(await download.path(), "utf8"));
  expect(report.adapter).not.toBe("");
  expect(await page.getByRole("table").locator("caption").textContent()).toContain(report.adapter);
  const { gflops, gbytes } = report.peak;
  expect(await page.locator("[data-figure=gflops]").textContent()).toBe(`${gflops.toFixed(1)} GFLOP/s`);
  expect(await page.locator("[data-figure=gbytes]").textContent()).toBe(`${gbytes.toFixed(1)} GB/s`);
  expect(report.rows.map(({ name }) => name)).toEqual(names);
  const shown = await measured(page).locator("td:nth-child(3)").allTextContents();
  expect(shown).toEqual(report.rows.map(({ microseconds }) => microseconds.toFixed(0)));
  // All that `--compare` needs of a report.
  for (const row of report.rows) {
    expect(Object.keys(row).sort()).toEqual(
      ["bytes", "chosen", "flops", "microseconds", "name", "runs", "spread", "variant", "wall"].sort(),
    );
  }
});

test("every variant is measured when asked for, once", async () => {
  const { page } = await open(/^add/, "8² 64 ×32");
  await page.getByRole("switch", { name: "Every variant" }).check();
  await button(page, "Start").click();
  await ended(page);
  const variants = await measured(page).locator("td:nth-child(2)").allTextContents();
  expect(variants.length).toBeGreaterThan(1);
  expect(new Set(variants).size).toBe(variants.length);
  expect(await page.locator("tbody tr.other").count()).toBe(variants.length - 1);
});

test("stopped, it keeps the rows that are done, and can be started again", async () => {
  const { page } = await open(/^Everything/, "16² 32 ×32");
  const asked = await page.locator(".rows li").count();
  const stopped = pressOnceShown(page, "Stop", "tbody tr");
  await button(page, "Start").click();
  await stopped;
  await ended(page);
  const done = await measured(page).count();
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(asked);
  expect(await page.locator(".tiles").textContent()).toContain(`${done} of ${asked}`);
  expect(await button(page, "JSON").isEnabled()).toBe(true);

  await page.getByRole("searchbox").fill("add 16² 32 ×32");
  await button(page, "Start again").click();
  await page.getByText("all measured").waitFor();
  expect(await measured(page).locator("th").allTextContents()).toEqual(["add 16² 32 ×32"]);
});

test("who looks into a net meanwhile ends the measurement, and both have what they asked for", async () => {
  const { page } = await open(/^Everything/, "×32"); // too many to be done meanwhile
  const asked = await page.locator(".rows li").count();
  await button(page, "Start").click();
  await measured(page).first().waitFor();
  await page.getByRole("link", { name: "Classify", exact: true }).click();
  await page.getByRole("radio", { name: /ResNet-8/ }).check();
  await page.getByRole("link", { name: "Look inside" }).click();
  await button(page, "Look").click();
  await page.locator(".tiles-picture.maps canvas").waitFor();
  await page.getByRole("link", { name: "Benchmark" }).click();
  await ended(page);
  const done = await measured(page).count();
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(asked);
  await page.getByText("stopped before the end").waitFor();
});

test("a device that is lost is said, with what was measured before kept, and the new one measured", async () => {
  const { page } = await open(/^Everything/, "×32"); // too many to be done meanwhile
  await button(page, "Start").click();
  await measured(page).first().waitFor();
  await loseDevice(page);
  const alert = page.getByRole("alert");
  await alert.getByText("The GPU was lost while it was measured").waitFor();
  expect(await alert.textContent()).toMatch(/measured before (is|are) kept/);
  expect(await measured(page).count()).toBeGreaterThan(0);
  await page.getByText("The GPU was lost and reopened").waitFor();
  await page.getByRole("searchbox").fill("add 16² 32 ×32");
  await alert.getByRole("button", { name: "Try again" }).click();
  await page.getByText("all measured").waitFor();
  expect(await measured(page).locator("th").allTextContents()).toEqual(["add 16² 32 ×32"]);
  expect(await alert.count()).toBe(0);
});

test("axe finds nothing to complain of in either theme, before and after, and a phone shows no wider page", async () => {
  const { page } = await open(/^Everything/, "add 8² 64 ×32");
  const both = async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await complaints(page), colorScheme).toEqual([]);
    }
  };
  await both();
  await button(page, "Start").click();
  await ended(page);
  await page.locator(".rows summary").click();
  await both();

  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  const region = page.getByRole("region", { name: /GFLOP\/s of multiply-adds/ });
  const { inside, shown } = await region.evaluate(({ scrollWidth, clientWidth }) => ({
    inside: scrollWidth,
    shown: clientWidth,
  }));
  expect(inside).toBeGreaterThan(shown);
  await region.focus();
  await page.keyboard.press("ArrowRight");
  await expect
    .poll(() => region.evaluate(({ scrollLeft }) => scrollLeft), { timeout: PATIENCE })
    .toBeGreaterThan(0);
});
