import { chromium } from "playwright";
import { expect, test } from "vitest";
import { chromiumLaunchOptions } from "../../../../scripts/setup/chromium.mjs";
import type { StepRecord } from "../../src/training/records.ts";
import { reportPage } from "../../src/training/report.ts";

const step = (step: number): StepRecord => ({
  kind: "step",
  step,
  epoch: 1,
  seconds: step,
  loss: 1 / step,
  accuracy: 0.5,
  lr: 0.1,
  imagesPerSecond: 12_345,
});

test("a report draws its four charts, whatever the browser's language", async () => {
  const html = await reportPage({ model: {}, records: [step(1), step(2)], evaluation: undefined });
  const browser = await chromium.launch(chromiumLaunchOptions());
  try {
    for (const locale of ["en-US", "tr-TR", "en-US@posix"]) {
      const page = await browser.newPage({ locale });
      page.setDefaultTimeout(100_000); // software adapters share their cores with everything else that runs
      const errors: string[] = [];
      page.on("pageerror", ({ message }) => errors.push(message));
      await page.setContent(html);
      expect(errors, locale).toEqual([]);
      expect(await page.locator(".uplot canvas").count(), locale).toBe(4);
    }
  } finally {
    await browser.close();
  }
});
