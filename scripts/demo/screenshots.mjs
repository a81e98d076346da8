// node scripts/demo/screenshots.mjs [view …]: pictures of the views, in light, in dark and on a phone, into
// packages/demo/screenshots. The answer in the first view is recorded as the example for browsers without WebGPU.
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright";
import { chromiumLaunchOptions } from "../setup/chromium.mjs";
import { ROOT } from "../setup/install.mjs";
import { tellAnswers } from "./answers.mjs";
import { buildDemo } from "./build.mjs";
import { serve } from "./serve.mjs";

// A dependency of the package that decodes pictures.
const sharp = createRequire(join(ROOT, "packages", "resnet", "package.json"))("sharp");

/** @typedef {import("playwright").Page} Page */

const FOLDER = join(ROOT, "packages", "demo", "screenshots");
const RECORDED = join(ROOT, "packages", "demo", "src", "classify", "recorded.json");

const LOOKS = /** @type {const} */ ([
  { name: "light", colorScheme: "light", width: 1280, height: 1480 },
  { name: "dark", colorScheme: "dark", width: 1280, height: 1480 },
  { name: "phone", colorScheme: "light", width: 390, height: 1688 },
]);

/** Actions in each view before its pictures are taken. @type {Record<string, (page: Page) => Promise<void>>} */
const VIEWS = {
  async classify(page) {
    await page.getByRole("radio", { name: /ResNet-50/ }).check();
    await page.getByRole("button", { name: "A cat" }).click();
    await page.locator(".answer").waitFor();
    const [answer] = await page.evaluate(() => /** @type {any} */ (globalThis).answers);
    const { crop: _, ...recorded } = answer;
    writeFileSync(RECORDED, `${JSON.stringify(recorded, undefined, 2)}\n`);
  },
  async teach(page) {
    await page.getByRole("radio", { name: /ResNet-50/ }).check();
    const cards = page.locator(".taught");
    for (const [i, { name, file }] of THINGS.entries()) {
      await cards.nth(i).getByRole("textbox").fill(name);
      await cards
        .nth(i)
        .locator("input[type=file]")
        .setInputFiles(await partsOf(file, name));
    }
    await page
      .locator(".thumbnails li:not(.coming)")
      .nth(THINGS.length * TAUGHT - 1)
      .waitFor();
    await page.getByRole("button", { name: "Learn", exact: true }).click();
    await page.locator(".learning .muted", { hasText: "Learned." }).waitFor();
    const [unseen] = (await partsOf("coffee.png", "unseen", TAUGHT + 1)).slice(-1);
    await page.locator(".trying input[type=file]").setInputFiles(/** @type {Picture} */ (unseen));
    await page.locator(".trying .guesses li").first().waitFor();
  },
  async train(page) {
    await page.getByRole("combobox", { name: "Width" }).selectOption({ index: 1 });
    await page.getByRole("combobox", { name: "Batch" }).selectOption("16 images");
    await page.getByRole("combobox", { name: "Optimizer" }).selectOption("Adam");
    await page.getByRole("button", { name: "Start" }).click();
    await page.waitForFunction(
      (steps) => Number(document.querySelector(".tiles dd")?.textContent) >= steps,
      160,
    );
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Continue" }).waitFor();
  },
  async inside(page) {
    await page.getByRole("button", { name: "Look", exact: true }).click();
    await page.locator(".tiles-picture.maps canvas").waitFor();
    await page.getByRole("button", { name: /Block 1\.1/ }).click();
    await page.locator(".tiles-picture.maps canvas").waitFor();
  },
  async benchmark(page) {
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByRole("button", { name: "Start again" }).waitFor();
  },
};

/** Things that the net is taught. */
const THINGS = [
  { name: "Cat", file: "chelsea.png" },
  { name: "Cup", file: "coffee.png" },
];
/** Pictures of each. */
const TAUGHT = 5;

/** @typedef {{ name: string, mimeType: string, buffer: Buffer }} Picture */

/**
 * Squares of a photograph, from left to right, as files to choose.
 *
 * @param {string} file
 * @param {string} name
 * @returns {Promise<Picture[]>}
 */
async function partsOf(file, name, count = TAUGHT) {
  const photograph = sharp(join(ROOT, "examples", "photographs", file));
  const { width, height } = await photograph.metadata();
  const side = Math.min(width, height) - 40;
  const cut = (/** @type {number} */ i) => {
    const left = Math.round(((width - side) * i) / (count - 1));
    return photograph.clone().extract({ left, top: 10 * (i % 4), width: side, height: side });
  };
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const buffer = await cut(i).resize(256).png().toBuffer();
      return { name: `${name}-${i + 1}.png`, mimeType: "image/png", buffer };
    }),
  );
}

/** Views whose pictures end where they do: what they are for is at their end. */
const WHOLE = ["benchmark"];

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(VIEWS);
process.chdir(ROOT);
await buildDemo({ fetchMissing: true });
const site = await serve();
const browser = await chromium.launch({ ...chromiumLaunchOptions(), headless: true });
mkdirSync(FOLDER, { recursive: true });
const page = await browser.newPage();
page.setDefaultTimeout(600_000);
await page.addInitScript(tellAnswers);

await page.goto(site.url);
for (const view of wanted) {
  await page.goto(`${site.url}#/${view}`);
  await VIEWS[view]?.(page);
  await page.mouse.move(0, 0); // nothing looks as if it were pointed at
  for (const { name, colorScheme, width, height } of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    const whole = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width, height: WHOLE.includes(view) ? whole : Math.min(whole, height) });
    await page.waitForTimeout(700); // bars grow, and charts follow their width
    const picture = await page.screenshot({ animations: "disabled" });
    const path = join(FOLDER, `${view}-${name}.png`);
    await sharp(picture).png({ palette: true, quality: 92, effort: 8 }).toFile(path);
    console.log(path);
  }
}
await browser.close();
await site.close();
process.exit();
