import { join } from "node:path";
import type { Page } from "playwright";
import { expect } from "vitest";

/** The net that comes with this repository: small enough for every test. */
export const chooseSmall = (page: Page): Promise<void> =>
  page.getByRole("radio", { name: /ResNet-8/ }).check();

export const chooseLarge = (page: Page): Promise<void> =>
  page.getByRole("radio", { name: /ResNet-50/ }).check();

/** Weights of the small one. */
export const RESNET8 = join(import.meta.dirname, "../../../resnet/models/resnet8-cifar10.safetensors");

/** A file of this machine, or one that a test makes. */
type Upload = string | { readonly name: string; readonly mimeType: string; readonly buffer: Buffer };

export const choosePicture = (page: Page, file: Upload): Promise<void> =>
  page.locator(".stage input[type=file]").setInputFiles(file);

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
