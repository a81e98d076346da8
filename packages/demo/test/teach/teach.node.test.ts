import { readFile } from "node:fs/promises";
import { load } from "@shadegrad/resnet";
import type { Page } from "playwright";
import { beforeAll, expect, test } from "vitest";
import { complaints } from "../axe.ts";
import { cameraScripts } from "../classify/camera.ts";
import { asksBeforeClosing, openPage, photograph, pressOnceShown, withPage } from "../page.ts";
import { byOnnxRuntime, learn, NAMES, type Picture, picturesOf, show, tryOut } from "./steps.ts";

withPage();

/** Pictures that no class was taught with, one of each. */
let unseen: Picture[];

beforeAll(async () => {
  unseen = (await Promise.all(NAMES.map((name) => picturesOf(name, 1, 7)))).flat();
});

async function takeHome(page: Page, button: string): Promise<{ name: string; path: string }> {
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: button, exact: true }).click();
  const download = await downloading;
  return { name: download.suggestedFilename(), path: (await download.path())! };
}

const figure = async (page: Page, name: string): Promise<string> =>
  (await page.locator(".learning .tiles div", { hasText: name }).locator("dd").first().textContent())!;

test("24 pictures of three classes are learned, fine-tuned, and what is taken home answers the same", async () => {
  const { page } = await openPage({ at: "#/teach" });
  await show(page, 8);
  await learn(page);
  expect(await figure(page, "Accuracy")).toBe("100 %");
  expect(await page.locator(".learning .tiles").textContent()).toContain("of 3 pictures it never saw");
  expect(await complaints(page)).toEqual([]);
  await learn(page, "Fine-tune the last stage", 24); // 8 epochs of 21 pictures, 8 a step
  // The last batch's loss may be above that of all pictures before; a guess has ln 3.
  expect(Number(await figure(page, "Loss"))).toBeLessThan(Math.log(3) / 5);
  // Stopped, it keeps what it has learned by then.
  const stopped = pressOnceShown(page, "Stop");
  await page.getByRole("button", { name: "Fine-tune the last stage" }).click();
  await stopped;
  await page.locator(".learning .muted", { hasText: /^Stopped after step \d+ of \d+\./ }).waitFor();
  expect(Number(await figure(page, "Step"))).toBeLessThan(24);

  const found = [];
  for (const picture of unseen) found.push(await tryOut(page, picture));
  expect(found.map(({ label }) => label)).toEqual(NAMES);
  const { label, percent } = found.at(-1)!;
  expect(await page.locator(".trying").getByRole("status").textContent()).toBe(`${label}, ${percent}`);

  const weights = await takeHome(page, "Weights");
  const onnx = await takeHome(page, "ONNX");
  const web = await takeHome(page, "Web page");
  expect([weights, onnx, web].map(({ name }) => name)).toEqual([
    "taught.safetensors",
    "taught.onnx",
    "taught.html",
  ]);
  using net = await load(await readFile(weights.path));
  expect(net.labels).toEqual(NAMES);
  const html = await readFile(web.path, "utf8");
  expect(html.trim().split("\n").length).toBeLessThanOrEqual(20);
  expect(html).toContain('new URL("taught.safetensors"');

  const byOnnx = await byOnnxRuntime(await readFile(onnx.path), net.net, unseen);
  for (const [i, picture] of unseen.entries()) {
    const [best] = await net.classify(picture.buffer);
    expect(best!.label).toBe(found[i]!.label);
    expect(Math.abs(100 * best!.probability - Number.parseFloat(found[i]!.percent))).toBeLessThan(1.5);
    expect(Math.abs(byOnnx[i]![best!.index]! - best!.probability)).toBeLessThan(1e-4);
  }
}, 600_000);

test("a picture from the camera is taken while the button is pressed, and the camera is classified live", async () => {
  const { page } = await openPage({ at: "#/teach", permissions: ["camera"], inPage: await cameraScripts() });
  await page.getByRole("button", { name: "Camera", exact: true }).click();
  await page.waitForFunction(
    () => (document.querySelector(".teach video") as HTMLVideoElement)?.videoWidth > 0,
  );
  const hold = page.getByRole("button", { name: "Hold to film" });
  await hold.first().focus();
  await page.keyboard.press("Enter");
  await page.locator(".taught").first().locator(".thumbnails li").first().waitFor();
  await page.locator(".taught").nth(1).locator("input[type=file]").setInputFiles(photograph("coffee.png"));
  await page.locator(".thumbnails li:not(.coming)").nth(1).waitFor();
  await learn(page);
  await page.locator(".trying", { hasText: "frames per second" }).waitFor();
  expect(await page.locator(".trying .guesses .label").first().textContent()).toBe("Class 1");
  await page.getByRole("link", { name: "Classify" }).click();
  await page.getByRole("link", { name: "Teach it" }).click();
  await page.getByRole("button", { name: "Camera", exact: true }).waitFor(); // let go of when the view was left
  expect(await asksBeforeClosing(page)).toBe(true);
  await takeHome(page, "Weights");
  expect(await asksBeforeClosing(page)).toBe(false);
}, 600_000);

test("what cannot be learned is said: no picture, one name twice, a file that is no picture", async () => {
  const { page } = await openPage({ at: "#/teach" });
  const names = page.locator(".taught").getByRole("textbox");
  await page.locator(".learning .muted", { hasText: "Add pictures of Class 1." }).waitFor();
  await names.nth(1).fill("Class 1");
  await page.locator(".learning .muted", { hasText: "Give each class a name of its own." }).waitFor();
  await names.nth(1).fill(" ");
  await page.locator(".learning .muted", { hasText: "Give every class a name." }).waitFor();
  expect(await page.getByRole("button", { name: "Learn", exact: true }).isEnabled()).toBe(false);
  const buffer = Buffer.from("no picture");
  await page
    .locator(".taught input[type=file]")
    .first()
    .setInputFiles({ name: "notes.png", mimeType: "image/png", buffer });
  await page.getByRole("alert").getByText("notes.png was not added").waitFor();
  expect(await page.locator(".thumbnails li").count()).toBe(0);
  expect(await complaints(page)).toEqual([]);
});
