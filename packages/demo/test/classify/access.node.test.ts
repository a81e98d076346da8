import { expect, test } from "vitest";
import { complaints } from "../axe.ts";
import { knowsDevice, openPage, withPage } from "../page.ts";
import { answered, chooseCat, chooseSmall } from "./steps.ts";

withPage();

test("axe finds nothing to complain of, before and after an answer, in both themes", async () => {
  const { page } = await openPage();
  await chooseSmall(page);
  expect(await complaints(page)).toEqual([]);
  await chooseCat(page);
  await answered(page);
  expect(await complaints(page)).toEqual([]);
  await page.getByRole("button", { name: /Switch to the .* theme/ }).click();
  expect(await complaints(page)).toEqual([]);
});

test("the keyboard gets everywhere", async () => {
  const { page } = await openPage();
  await page.getByText("What is in this picture?").waitFor();
  await page.locator(".samples button").first().waitFor();
  await knowsDevice(page); // its name can be reached as well
  const reached: string[] = [];
  for (let i = 0; i < 16; i++) {
    await page.keyboard.press("Tab");
    reached.push(
      await page.evaluate(() => {
        const at = document.activeElement as HTMLElement;
        const label = at.getAttribute("aria-label") ?? at.closest("label")?.textContent ?? at.textContent;
        return (label ?? "").trim().replace(/\s+/g, " ").slice(0, 24);
      }),
    );
  }
  const wanted = [
    "Skip to",
    "Classify",
    "Look inside",
    "Switch to the",
    "Choose a picture",
    "Camera",
    "A cat",
    "Your own weights",
  ];
  for (const name of wanted)
    expect(
      reached.some((label) => label.startsWith(name)),
      `${name} in ${reached}`,
    ).toBe(true);
});
