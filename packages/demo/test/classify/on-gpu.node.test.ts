import { readFile } from "node:fs/promises";
import { decodeImage, pictureInput } from "@shadegrad/resnet";
import { expect, test } from "vitest";
import { tellAnswers } from "../../../../scripts/demo/answers.mjs";
import { copiesPictures } from "../../../../scripts/setup/chromium.mjs";
import type { Classification } from "../../src/worker-client/messages/classify.ts";
import { openPage, photograph, withPage } from "../page.ts";
import { chooseCat, choosePicture, chooseSmall, expectAnswer } from "./steps.ts";

withPage();

/** The browser's software adapter under the name of a GPU, and counters of what is done with pixels. */
const AS_GPU = `
  const info = { vendor: "test", architecture: "", description: "A GPU", isFallbackAdapter: false };
  for (const [name, value] of Object.entries(info))
    Object.defineProperty(GPUAdapterInfo.prototype, name, { get: () => value });
  globalThis.done = { copied: 0, read: 0 };
  const counted = ({ prototype }, name, what) => {
    const original = prototype[name];
    prototype[name] = function (...args) {
      globalThis.done[what]++;
      return original.apply(this, args);
    };
  };
  counted(GPUQueue, "copyExternalImageToTexture", "copied");
  counted(OffscreenCanvasRenderingContext2D, "getImageData", "read");
`;

test("on a GPU, kernels resize a picture from a file: the same pixels to ±1 of 255", async ({ skip }) => {
  if (!copiesPictures()) skip("the Chromium from npm loses its adapter at a copy to a texture");
  const { page } = await openPage({ inWorker: AS_GPU, inPage: [tellAnswers] });
  await chooseSmall(page);
  for (const choose of [() => chooseCat(page), () => choosePicture(page, photograph("chelsea.png"))]) {
    await choose();
    await expectAnswer(page, "cat");
    const parts = await page.locator(".times li > span:first-child").allTextContents();
    expect(parts.slice(0, 3)).toEqual(["decode", "resize", "stem"]);
  }
  const done = await page
    .workers()[0]!
    .evaluate(() => (globalThis as unknown as { done: { copied: number; read: number } }).done);
  expect(done.copied).toBeGreaterThanOrEqual(2);
  expect(done.read).toBe(0);

  const { side, pixels } = await page.evaluate(() => {
    const [answer] = (globalThis as unknown as { answers: Classification[] }).answers;
    return { ...answer!.crop, pixels: Array.from(answer!.crop.pixels) };
  });
  const net = { options: { classes: 10, firstKernelSize: 3 } };
  const { crop } = pictureInput(await decodeImage(await readFile(photograph("chelsea.png"))), net);
  expect([side, side]).toEqual([crop.width, crop.height]);
  const off = Array.from(crop.pixels, (byte, i) => byte - pixels[4 * Math.floor(i / 3) + (i % 3)]!);
  expect(Math.max(...off.map(Math.abs))).toBeLessThanOrEqual(1);
  expect(pixels.filter((byte, i) => i % 4 === 3 && byte !== 255)).toEqual([]);
}, 600_000);
