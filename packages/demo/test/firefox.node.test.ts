import type { Browser, Page } from "puppeteer-core";
import { launch } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { firefoxLacking, firefoxLaunchOptions } from "../../../scripts/setup/firefox.mjs";
import { buildAndServe, PATIENCE } from "./page.ts";

// The rest of the page's tests run in Chromium. Here it is gone through once in a release of Firefox, whose WebGPU is another.
const lacking = process.env.SHADEGRAD_FIREFOX
  ? firefoxLacking()
  : "SHADEGRAD_FIREFOX does not say where it is";

/** Wait for text in the first element that matches. */
const expectText = (page: Page, selector: string, text: string): Promise<unknown> =>
  page.waitForFunction(
    (selector, text) => document.querySelector(selector)?.textContent?.includes(text),
    { timeout: PATIENCE },
    selector,
    text,
  );

describe.skipIf(lacking)(`in Firefox${lacking ? `, but ${lacking}` : ""}`, () => {
  let browser: Browser;
  let site: Awaited<ReturnType<typeof buildAndServe>>;
  let page: Page;
  const wrong: string[] = [];
  const click = async (selector: string): Promise<void> => {
    const element = await page.waitForSelector(selector, { timeout: PATIENCE });
    await element!.evaluate((element) => (element as HTMLElement).click());
  };

  beforeAll(async () => {
    site = await buildAndServe();
    browser = await launch(firefoxLaunchOptions());
    page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 860 });
    page.on("pageerror", (error) => wrong.push(String(error)));
    page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
    await page.goto(site.url, { timeout: PATIENCE });
  }, 600_000);

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test("the page classifies, looks inside, and says where it runs", {
    timeout: 600_000,
  }, async () => {
    await click("::-p-xpath(//label[contains(., 'ResNet-8')]/input)");
    await click(
      "::-p-xpath(//button[contains(., 'A cat') or .//img[contains(@alt, 'A cat')] or contains(@aria-label, 'A cat') or contains(@title, 'A cat')])",
    );
    await expectText(page, ".guesses .label", "cat");

    await click(".chip summary");
    await expectText(page, ".chip .browser", "wgpu, with naga");
    await expectText(page, ".chip .slower", "100 ms");

    await click("nav a[href='#/inside']");
    await click("::-p-xpath(//button[normalize-space() = 'Look'])");
    await page.waitForSelector(".tiles-picture.maps canvas", { timeout: PATIENCE });
    expect(wrong).toEqual([]);
  });
});
