import { readFileSync } from "node:fs";
import { openSafetensors } from "@shadegrad/tensor/formats";
import { describe, expect, test } from "vitest";
import { openPage, photograph, withPage } from "../page.ts";
import { pth, type Saved } from "../pth.ts";
import {
  chooseCat,
  chooseSmall,
  chooseWeights,
  expectAlert,
  expectAnswer,
  RESNET8,
  tryAgain,
} from "./steps.ts";

withPage();

const mimeType = "application/octet-stream";

/** The small net's weights as PyTorch would save them: nothing but a state dict. */
async function resnet8AsPth(): Promise<Buffer> {
  const file = await openSafetensors(new Blob([readFileSync(RESNET8)]));
  const state = new Map<string, Saved>();
  for (const [name, tensor] of file.entries) {
    const { data, shape } = await tensor.read();
    if (data instanceof Float32Array) state.set(name, { shape, data });
  }
  await file.close();
  return pth(state);
}

describe("weights of the visitor's", () => {
  test("are loaded, under the names that they carry", async () => {
    const { page } = await openPage();
    await chooseWeights(page, RESNET8);
    await page.locator(".net.own", { hasText: "75.3 k parameters" }).waitFor();
    await chooseCat(page);
    await expectAnswer(page, "cat");
  });

  test("are loaded from a .pth of PyTorch", async () => {
    const { page } = await openPage();
    await chooseWeights(page, { name: "resnet8.pth", mimeType, buffer: await resnet8AsPth() });
    await page.locator(".net.own", { hasText: "75.3 k parameters" }).waitFor();
    expect(await page.locator(".net.own").textContent()).toMatch(/resnet8\.pth.*from your file/s);
    await chooseCat(page);
    await expectAnswer(page, "cat");
    expect(await page.locator(".times .by").textContent()).toMatch(/^resnet8\.pth on \S+/);
  });

  test("that are damaged get a message, and the net before can be had again", async () => {
    const { page } = await openPage();
    const whole = readFileSync(RESNET8);
    const files = [
      { name: "cut.safetensors", buffer: whole.subarray(0, 100_000), says: /truncated|ends|bytes/ },
      { name: "cut.pth", buffer: (await resnet8AsPth()).subarray(0, 100_000), says: /truncated|ends|end/ },
      { name: "picture.safetensors", buffer: readFileSync(photograph("chelsea.png")), says: /a PNG image/ },
      { name: "words.pth", buffer: Buffer.from("no weights here"), says: /a text file/ },
    ];
    for (const { name, buffer, says } of files) {
      await chooseWeights(page, { name, mimeType, buffer });
      await page.getByRole("alert").filter({ hasText: says }).waitFor();
      await expectAlert(page, "These weights cannot be used");
      await page.getByRole("button", { name: "Dismiss" }).click();
      await page.getByRole("alert").waitFor({ state: "detached" });
    }
    await chooseSmall(page);
    await chooseCat(page);
    await expectAnswer(page, "cat");
  });
});

describe("weights of the page", () => {
  test("that arrive damaged are fetched again", async () => {
    const { page, context } = await openPage();
    const address = /\/weights\/resnet8/;
    await context.route(address, (route) => route.fulfill({ body: "not what the build wrote" }));
    // The page chooses this net on a software adapter: the picture alone asks for its weights, once.
    await page.getByRole("radio", { name: /ResNet-8/, checked: true }).waitFor();
    await chooseCat(page);
    await expectAlert(page, /is damaged: it has 24 bytes, not \d+/);
    await context.unroute(address);
    await tryAgain(page);
    await expectAnswer(page, "cat");
    await page.locator(".net.chosen", { hasText: "fetched" }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("for which the browser has no room work all the same, and the page says so", async () => {
    const full = `Cache.prototype.put = () => Promise.reject(new DOMException("no room", "QuotaExceededError"));`;
    const { page } = await openPage({ inWorker: full });
    await chooseSmall(page);
    await chooseCat(page);
    await page.locator(".nets .message", { hasText: "storage is full" }).waitFor();
    await expectAnswer(page, "cat");
  });
});
