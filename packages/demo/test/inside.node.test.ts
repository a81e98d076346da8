import type { Page } from "playwright";
import { expect, test } from "vitest";
import { complaints } from "./axe.ts";
import { chooseSmall } from "./classify/steps.ts";
import { knowsDevice, openPage, PATIENCE, withPage } from "./page.ts";

withPage();

/** ResNet-8 on the cat. */
async function look(page: Page): Promise<void> {
  await chooseSmall(page);
  await page.getByRole("link", { name: "Look inside" }).click();
  await page.getByRole("button", { name: "Look", exact: true }).click();
  await page.locator(".tiles-picture.maps canvas").waitFor();
}

test("the net is drawn from the model itself, with what each part did", async () => {
  const { page } = await openPage();
  await look(page);
  const parts = page.locator(".net-parts button");
  expect(await parts.locator(".name").allTextContents()).toEqual([
    "Stem",
    "Block 1.1",
    "Block 2.1",
    "Block 3.1",
    "Head",
  ]);
  expect(await parts.locator(".shape").allTextContents()).toEqual([
    "32 × 32 × 16",
    "32 × 32 × 16",
    "16 × 16 × 32",
    "8 × 8 × 64",
    "10",
  ]);
  const tiles = await page.locator(".tiles").textContent();
  expect(tiles).toMatch(/Parameters\s*75\.3 k/);
  expect(tiles).toMatch(/Multiply-adds\s*12\.2 M/);
  // Counts of `shadegrad summary resnet8`.
  expect(await parts.locator(".work").allTextContents()).toEqual(
    ["442 k", "4.72 M", "3.54 M", "3.54 M", "640"].map((work) => `${work} MAC`),
  );
  expect(await page.locator(".timeline tbody tr").count()).toBeGreaterThan(3);
});

test("a click shows a block's maps and filters, its layers and the kernels that ran", async () => {
  const { page } = await openPage();
  await look(page);
  await page.getByRole("button", { name: /Block 2\.1/ }).click();
  await page.locator(".tiles-picture.maps canvas[aria-label='32 channels of 16 × 16']").waitFor();
  const layers = page.locator(".table-card").first();
  expect(await layers.locator("tbody th").allTextContents()).toEqual([
    "conv1",
    "bn1",
    "conv2",
    "bn2",
    "shortcut",
  ]);
  const kernels = await page.locator(".table-card").nth(1).locator("tbody th").allTextContents();
  expect(kernels.filter((name) => name === "conv2d")).toHaveLength(2);

  // The maps differ from each other, and from another picture's.
  const pixels = () =>
    page.locator(".tiles-picture.maps canvas").evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return {
        colours: new Set(new Uint32Array(data.buffer)).size,
        sum: data.reduce((sum, x) => sum + x, 0),
      };
    });
  const cat = await pixels();
  expect(cat.colours).toBeGreaterThan(500);
  const layer = page.getByRole("combobox", { name: "Output of" });
  const own = await layer.inputValue();
  await layer.selectOption("conv1");
  await expect.poll(async () => (await pixels()).sum, { timeout: PATIENCE }).not.toBe(cat.sum);
  await page.getByRole("button", { name: "A cup" }).click();
  // Once the net has run, the block is still chosen, and its output is shown again.
  await expect.poll(() => layer.inputValue(), { timeout: PATIENCE }).toBe(own);
  expect(await page.getByRole("button", { name: /Block 2\.1/ }).getAttribute("aria-pressed")).toBe("true");
  await page.locator(".tiles-picture.maps canvas[aria-label='32 channels of 16 × 16']").waitFor();
  expect((await pixels()).sum).not.toBe(cat.sum);
});

test("axe finds nothing to complain of, before and after a look", async () => {
  const { page } = await openPage();
  await page.getByRole("link", { name: "Look inside" }).click();
  await page.getByRole("button", { name: "Look", exact: true }).waitFor();
  await knowsDevice(page);
  expect(await complaints(page)).toEqual([]);
  await page.locator("header").getByRole("link", { name: "Classify" }).click();
  await look(page);
  expect(await complaints(page)).toEqual([]);
});
