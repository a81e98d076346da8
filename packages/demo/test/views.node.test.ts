import { expect, test } from "vitest";
import { openPage, withPage } from "./page.ts";

withPage();

/** The heading of each view. */
const HEADINGS = {
  classify: "What is in this picture?",
  train: "Teach a net, and watch it learn",
  inside: "What the net sees, layer by layer",
  benchmark: "How fast the kernels are here",
};

test("every view opens in a browser whose language Intl refuses", async () => {
  const { page } = await openPage({ language: "en-US@posix" });
  const tag = await page.evaluate(() => {
    const frame = document.createElement("iframe"); // has a navigator of its own, which the page has not corrected
    document.body.append(frame);
    const { language } = frame.contentWindow!.navigator;
    frame.remove();
    return language;
  });
  expect(() => Intl.getCanonicalLocales(tag), tag).toThrow(RangeError);
  for (const [view, heading] of Object.entries(HEADINGS)) {
    await page.evaluate((hash) => void (location.hash = hash), `#/${view}`);
    await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  }
});

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

test("a view whose scripts do not arrive asks for the network", async () => {
  const { page, context, wrong } = await openPage();
  await context.route(/\/assets\/view-[^/]*\.js/, (route) => route.fulfill({ status: 404 }));
  await page.getByRole("link", { name: "Train" }).click();
  const alert = page.getByRole("alert");
  await alert.getByText("Train did not come").waitFor();
  expect(await alert.textContent()).toContain("Is the network there?");
  // The browser's own message about the request.
  expect(wrong.splice(0).filter((message) => !/status of 404/.test(message))).toEqual([]);
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
