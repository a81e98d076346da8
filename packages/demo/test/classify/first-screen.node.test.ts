import { expect, test } from "vitest";
import { openPage, photograph, withPage } from "../page.ts";
import { answered, chooseCat, choosePicture } from "./steps.ts";

withPage();

test("the photographs are within the first screen of a laptop, and a software adapter begins with the small net", async () => {
  const { page } = await openPage();
  await page.setViewportSize({ width: 1280, height: 800 });
  const last = page.locator(".sample").last();
  await last.locator("img").waitFor();
  const { y, height } = (await last.boundingBox())!;
  expect(y + height).toBeLessThanOrEqual(800);
  await page.waitForFunction(() => document.querySelector(".net.chosen strong")?.textContent === "ResNet-8");
});

test("on a phone the answer is scrolled to", async () => {
  const { page } = await openPage();
  await page.setViewportSize({ width: 390, height: 700 });
  await chooseCat(page);
  await answered(page);
  const answer = page.locator(".answer");
  await page.waitForFunction(() => {
    const { top, bottom } = document.querySelector(".answer")!.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
  expect(await answer.isVisible()).toBe(true);
});

test("after an error nothing is said to be getting ready", async () => {
  const { page } = await openPage();
  await choosePicture(page, { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
  await page.getByRole("alert").getByText("notes.png is no picture").waitFor();
  expect(await page.locator(".results").textContent()).not.toContain("getting ready");
  await choosePicture(page, photograph("coffee.png"));
  await answered(page);
});
