import type { Page } from "playwright";
import { expect, test } from "vitest";
import { chooseCat, chooseSmall, expectAnswer } from "./classify/steps.ts";
import { knowsDevice, openPage, withPage } from "./page.ts";
import { show } from "./teach/steps.ts";
import { choose, chooseSmall as chooseSmallTraining, oneStep } from "./train/steps.ts";

withPage();

const link = (page: Page, name: string) =>
  page.getByRole("navigation").getByRole("link", { name, exact: true });

/** First action of a visitor in each view. */
const VIEWS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  async Classify(page) {
    await chooseSmall(page);
    await chooseCat(page);
    await expectAnswer(page, "cat");
  },
  async "Teach it"(page) {
    await page.locator(".learning .muted", { hasText: "Add pictures of Class 1." }).waitFor();
    await page.getByRole("radio", { name: /ResNet-8/ }).waitFor();
  },
  async Train(page) {
    await chooseSmallTraining(page);
    expect(Number(await oneStep(page))).toBeGreaterThan(0);
    await page.locator(".plot canvas").first().waitFor();
  },
  async "Look inside"(page) {
    await page.getByRole("button", { name: "Look", exact: true }).click();
    await page.locator(".tiles-picture.maps canvas").waitFor();
  },
  async Benchmark(page) {
    await choose(page, "Kernels", /^add /);
    await page.getByRole("searchbox").fill("add 8² 64 ×32");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByRole("button", { name: "Start again", exact: true }).waitFor();
    expect(await page.locator("tbody tr").count()).toBe(1);
  },
};

test("every view does its work in a browser whose language Intl refuses", async () => {
  const { page } = await openPage({ language: "en-US@posix" });
  const tag = await page.evaluate(() => {
    const frame = document.createElement("iframe"); // its navigator is another one, which the page has not corrected
    document.body.append(frame);
    const { language } = frame.contentWindow!.navigator;
    frame.remove();
    return language;
  });
  expect(() => Intl.getCanonicalLocales(tag), tag).toThrow(RangeError);
  for (const [name, work] of Object.entries(VIEWS)) {
    await link(page, name).click();
    await work(page);
  }
}, 300_000);

test("the training view's charts are drawn in the browser's language, and in English where Intl refuses it", async () => {
  for (const [language, corrected] of [
    ["de-DE", "de-DE"],
    ["en-US@posix", "en"],
  ]) {
    const { page } = await openPage({ at: "#/train", language: language! });
    await page.locator(".plot canvas").first().waitFor();
    expect(await page.evaluate(() => navigator.language)).toBe(corrected);
  }
});

test("a view that is opened before the page has its list of nets waits for it", async () => {
  const late = `const { fetch } = window;
    const released = new Promise((release) => { window.release = release; });
    window.fetch = async (...args) => {
      if (String(args[0]).includes("bundled-assets")) await released;
      return fetch(...args);
    };`;
  const { page } = await openPage({ at: "#/teach", inPage: [late] });
  await knowsDevice(page);
  await page.waitForLoadState("networkidle"); // the view's scripts have arrived
  await page.getByText("Teach it is loading").waitFor();
  await page.evaluate("release()");
  await show(page, 1);
  expect(await page.getByRole("alert").count()).toBe(0);
});

test("a view whose scripts do not arrive asks for the network", async () => {
  // The browser's own message about a request, of which there may be more than one.
  const { page, context } = await openPage({ provoked: /status of 404/ });
  await context.route(/\/assets\/view-[^/]*\.js/, (route) => route.fulfill({ status: 404 }));
  await page.getByRole("link", { name: "Train" }).click();
  const alert = page.getByRole("alert");
  await alert.getByText("Train did not load").waitFor();
  expect(await alert.textContent()).toContain("Is the network there?");
});

test("a view whose scripts fail says so, and does not ask for the network", async () => {
  const fail = () => {
    Intl.NumberFormat = class {
      constructor() {
        throw new RangeError("no such number format");
      }
    } as unknown as typeof Intl.NumberFormat;
  };
  const { page } = await openPage({ inPage: [fail] });
  await page.getByRole("link", { name: "Train" }).click();
  const alert = page.getByRole("alert");
  await alert.getByText("Train does not start").waitFor();
  expect(await alert.textContent()).toContain("not of the network: no such number format");
});
