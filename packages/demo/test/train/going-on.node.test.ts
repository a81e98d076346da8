import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { asksBeforeClosing, loseDevice, openPage, photograph, withPage } from "../page.ts";
import { button, chooseSmall, oneStep, pause, reach, stepsDone } from "./steps.ts";

withPage();

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
  await page.locator(".tiles", { hasText: /Parameters\s*\d\.\d\d k/ }).waitFor();
  expect(await stepsDone(page)).toBe(paused);
  // The checkpoint has the settings.
  expect(await page.getByRole("combobox", { name: "Batch" }).inputValue()).toBe("16 images");
  expect([await oneStep(page), await oneStep(page)]).toEqual(next);
}, 300_000);

test("a tab is not closed, without asking, on steps that were not saved", async () => {
  const { page } = await openPage({ at: "#/train" });
  await chooseSmall(page);
  await oneStep(page);
  expect(await asksBeforeClosing(page)).toBe(true);
  const downloading = page.waitForEvent("download");
  await button(page, "Checkpoint").click();
  await downloading;
  expect(await asksBeforeClosing(page)).toBe(false);
});

test("a file that is no checkpoint gets a message", async () => {
  const { page } = await openPage({ at: "#/train" });
  const input = page.locator(".controls input[type=file]");
  await input.setInputFiles({
    name: "cat.safetensors",
    mimeType: "application/octet-stream",
    buffer: readFileSync(photograph("chelsea.png")),
  });
  const alert = page.getByRole("alert");
  await alert.waitFor();
  expect(await alert.textContent()).toContain("This file cannot be resumed");
  expect(await button(page, "Start").isEnabled()).toBe(true);
});

test("a device that is lost is opened again, and the training goes on from its last copy", async () => {
  const { page } = await openPage({ at: "#/train" });
  await chooseSmall(page);
  await button(page, "Start").click();
  await reach(page, 4);
  await loseDevice(page);
  await page.getByText("The training was saved").waitFor();
  const [, from] = /goes on from step (\d+)/.exec((await page.locator(".train .message").textContent())!)!;
  await reach(page, Number(from) + 3);
  await pause(page);
}, 300_000);
