import { basename, join } from "node:path";
import type { Page } from "playwright";
import { expect } from "vitest";
import { knowsDevice } from "../page.ts";

/**
 * The net that comes with this repository: small enough for every test. On a software adapter the page has chosen it by itself,
 * so that the first picture loads it; before, the choice would load it as well.
 */
export async function chooseSmall(page: Page): Promise<void> {
  await knowsDevice(page);
  await page.getByRole("radio", { name: /ResNet-8/ }).check();
}

export const chooseLarge = (page: Page): Promise<void> =>
  page.getByRole("radio", { name: /ResNet-50/ }).check();

/** Weights of the small one. */
export const RESNET8 = join(import.meta.dirname, "../../../resnet/models/resnet8-cifar10.safetensors");

/** A file of this machine, or one that a test makes. */
type Upload = string | { readonly name: string; readonly mimeType: string; readonly buffer: Buffer };

/** Choose a picture, and wait until it is shown: from then on no answer for an earlier one is there. */
export async function choosePicture(page: Page, file: Upload): Promise<void> {
  await page.locator(".stage input[type=file]").setInputFiles(file);
  const name = typeof file === "string" ? basename(file) : file.name;
  await page.locator(".stage .name", { hasText: name }).waitFor();
}

export const chooseWeights = (page: Page, file: Upload): Promise<void> =>
  page.locator(".net.own input").setInputFiles(file);

/** The sample photograph of a cat. */
export const chooseCat = (page: Page): Promise<void> => page.getByRole("button", { name: "A cat" }).click();

/** Wait for an answer. */
export const answered = (page: Page): Promise<void> => page.locator(".answer h2").waitFor();

/** Wait for an answer, and expect this class first. */
export async function expectAnswer(page: Page, label: string): Promise<void> {
  await answered(page);
  expect(await page.locator(".guesses .label").first().textContent()).toBe(label);
}

/** Wait for what the page says of something that went wrong, and expect this in it. */
export async function expectAlert(page: Page, says: RegExp | string): Promise<void> {
  const alert = page.getByRole("alert");
  await alert.waitFor();
  expect(await alert.textContent()).toMatch(says);
}

export const tryAgain = (page: Page): Promise<void> =>
  page.getByRole("alert").getByRole("button", { name: "Try again" }).click();
