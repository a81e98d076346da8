// node scripts/demo/first-classification.mjs [--net resnet50] [--rounds 2]: how long the first classification takes a
// visitor who comes back, whose browser has kept the weights, and how long the same takes in Node; both on SwiftShader.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { chromium } from "playwright";
import { runtimeFolder } from "../setup/adapter.mjs";
import { chromiumLaunchOptions } from "../setup/chromium.mjs";
import { provideSwiftshader, swiftshaderEnvironment } from "../setup/embedded.mjs";
import { ROOT } from "../setup/install.mjs";
import { tellAnswers } from "./answers.mjs";
import { buildDemo } from "./build.mjs";
import { serve } from "./serve.mjs";

/**
 * The part of the worker's answer that is printed.
 *
 * @typedef {{ milliseconds: number, stages: { name: string, milliseconds: number }[], top: { label: string }[], adapter: string }} Classification
 */

const { values } = parseArgs({
  options: { net: { type: "string", default: "resnet50" }, rounds: { type: "string", default: "2" } },
});
const PICTURE = join(ROOT, "examples", "photographs", "chelsea.png");

process.chdir(ROOT);
provideSwiftshader();
await buildDemo({ fetchMissing: true });
const site = await serve();
const profile = mkdtempSync(join(tmpdir(), "shadegrad-visitor-"));

/**
 * Open the page as a visitor does whose browser has this profile, wait for the weights, and classify.
 *
 * @param {string} origin of the weights, as the page shows it
 * @returns {Promise<Classification>}
 */
async function inPage(origin) {
  const context = await chromium.launchPersistentContext(profile, {
    ...chromiumLaunchOptions(),
    headless: true,
  });
  context.setDefaultTimeout(300_000);
  await context.addInitScript(tellAnswers);
  const [page] = context.pages();
  if (!page) throw new Error("the browser opened no page");
  await page.goto(site.url);
  await page.locator(`input[name=net]`).first().waitFor();
  const { nets } = await (await fetch(new URL("bundled-assets.json", site.url))).json();
  const index = nets.findIndex((/** @type {{ id: string }} */ { id }) => id === values.net);
  if (index < 0) throw new Error(`${values.net} is not among the page's nets`);
  const radio = page.locator("input[name=net]").nth(index);
  // The first is chosen already, and comes with the first picture: choosing it asks for it at once.
  await radio.dispatchEvent("change");
  await page.locator(".net.chosen", { hasText: origin }).waitFor();
  await page.getByRole("button", { name: "A cat" }).click();
  await page.locator(".answer").waitFor();
  const [answer] = await page.evaluate(() => /** @type {any} */ (globalThis).answers);
  await context.close();
  return answer;
}

/** @returns {Promise<Classification>} */
async function inNode() {
  const script = join(ROOT, "scripts", "demo", "classify-in-node.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [script, site.url, values.net, PICTURE], {
    env: { ...process.env, ...runtimeFolder(), ...swiftshaderEnvironment, SHADEGRAD_TUNED: "off" },
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

/**
 * @param {string} where
 * @param {Classification} answer
 */
function print(where, { milliseconds, stages, top, adapter }) {
  const parts = stages.map((stage) => `${stage.name} ${Math.round(stage.milliseconds)}`).join(" · ");
  console.log(`${where}: ${Math.round(milliseconds)} ms, ${top[0]?.label}, on ${adapter}\n  ${parts}`);
  return milliseconds;
}

await inPage("fetched"); // a first visit
/** @type {{ page: number, node: number }[]} */
const rounds = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const page = print("page", await inPage("cached in this browser"));
  const node = print("Node", await inNode());
  rounds.push({ page, node });
}
const least = (/** @type {"page" | "node"} */ side) => Math.min(...rounds.map((round) => round[side]));
console.log(
  `The page takes ${(least("page") / least("node")).toFixed(2)} times as long as Node, least to least.`,
);
await site.close();
rmSync(profile, { recursive: true, force: true });
process.exit();
