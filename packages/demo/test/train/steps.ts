import type { Locator, Page } from "playwright";
import { PATIENCE } from "../page.ts";

/** Choose the first option of a setting that has this in its text. */
export async function choose(page: Page, name: string, option: RegExp | string): Promise<void> {
  const select = page.getByRole("combobox", { name });
  const label = await select.locator("option", { hasText: option }).first().textContent();
  await select.selectOption({ label: label! });
}

/** A net and data that a rasteriser gets through fast. */
export async function chooseSmall(page: Page): Promise<void> {
  await choose(page, "Width", /^4 /);
  await choose(page, "Data", /^Shapes/);
  await choose(page, "Batch", /^16 images/);
}

export const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });

export const stepsDone = async (page: Page): Promise<number> =>
  Number(await page.locator(".tiles dd").first().textContent());

export async function reach(page: Page, step: number): Promise<void> {
  await page.waitForFunction(
    (step) => Number(document.querySelector(".tiles dd")?.textContent) >= step,
    step,
    { timeout: PATIENCE },
  );
}

/** One step, by its button; its loss, all four digits. */
export async function oneStep(page: Page): Promise<string> {
  const before = await stepsDone(page);
  await button(page, "Step").click();
  await reach(page, before + 1);
  await button(page, "Continue").waitFor();
  return (await page.locator("[data-figure=loss]").textContent())!;
}

export async function pause(page: Page): Promise<void> {
  await button(page, "Pause").click();
  await button(page, "Continue").waitFor();
}
