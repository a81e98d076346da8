import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { SITE } from "../../../scripts/demo/build.mjs";
import { serve } from "../../../scripts/demo/serve.mjs";
import { chromiumLaunchOptions } from "../../../scripts/setup/chromium.mjs";
import type { BundledAssets } from "../src/worker-client/messages/nets.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** Files in the page's folder; weights and data only if they are in the cache, or `CI` is set. */
export const bundledAssets = (): BundledAssets =>
  JSON.parse(readFileSync(join(SITE, "bundled-assets.json"), "utf8"));

/** Milliseconds that anything may take on a slow rasteriser. */
export const PATIENCE = 120_000;

export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors in the console and requests that leave this machine; each fails the test. */
  readonly wrong: string[];
}

/** A camera that films a test picture; whether a page may use it is asked as ever. */
const CAMERA = "--use-fake-device-for-media-stream";

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;
const open: Opened[] = [];

/** Build the page and serve it, under a path of its own. */
export function buildAndServe(): ReturnType<typeof serve> {
  const offline = process.env.CI ? [] : ["--offline"];
  execFileSync(process.execPath, [join(ROOT, "scripts", "demo", "site.mjs"), ...offline], {
    stdio: "inherit",
  });
  return serve({ base: "/a/path/of/its/own/" });
}

/** Build and serve the page once for the tests of a file; each test is then checked for errors. */
export function withPage(): void {
  beforeAll(async () => {
    site = await buildAndServe();
    const { args, ...options } = chromiumLaunchOptions();
    browser = await chromium.launch({ ...options, args: [...args, CAMERA], headless: true });
  }, 600_000);

  afterEach(async () => {
    const opened = open.splice(0);
    for (const { context } of opened) await context.close();
    expect(opened.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
}

export interface OpenOptions {
  /** A view: `#/train`. */
  at?: string;
  /** Run in the worker before anything else there. */
  inWorker?: string;
  /** Run in the page before anything else there. */
  inPage?: readonly (string | (() => void))[];
  permissions?: string[];
  /** True if the page's service worker runs. */
  keeps?: boolean;
  /** The browser's language, as `navigator.language` has it. */
  language?: string;
  /** Errors in the console that the test provokes. */
  provoked?: RegExp;
}

/** Open the page in a browser that has never seen it. */
export async function openPage({
  at = "",
  inWorker,
  inPage = [],
  permissions = [],
  keeps = false,
  language,
  provoked,
}: OpenOptions = {}): Promise<Opened> {
  const viewport = { width: 1280, height: 860 };
  const context = await browser.newContext({
    viewport,
    serviceWorkers: keeps ? "allow" : "block", // its answers would go past the routes of tests
    permissions,
    ...(language !== undefined && { locale: language }),
  });
  const page = await context.newPage();
  const opened: Opened = { page, context, wrong: [] };
  open.push(opened);
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => {
    if (message.type() === "error" && !provoked?.test(message.text()))
      opened.wrong.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => opened.wrong.push(`error: ${error.stack ?? error.message}`));
  context.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "blob:" && hostname !== "127.0.0.1")
      opened.wrong.push(`left the machine: ${request.url()}`);
  });
  if (inWorker !== undefined) {
    await context.route(/\/assets\/start-[^/]*\.js/, async (route) => {
      const response = await route.fetch();
      // A module of its own: the imports of the entry are evaluated before its own lines.
      await route.fulfill({ response, body: `import "./in-worker.js";\n${await response.text()}` });
    });
    await context.route(/\/assets\/in-worker\.js/, (route) =>
      route.fulfill({ contentType: "text/javascript", body: inWorker }),
    );
  }
  for (const script of inPage)
    await page.addInitScript(typeof script === "string" ? { content: script } : script);
  await page.goto(site.url + at);
  return opened;
}

/**
 * Press a button in the page itself as soon as it and an element are shown: seen from here, short work may be done before. To be
 * called before what brings them about; settles once the button is pressed.
 */
export const pressOnceShown = (page: Page, name: string, selector = "body"): Promise<void> =>
  page.evaluate(
    ([name, selector]) =>
      new Promise<void>((resolve) => {
        const press = () => {
          const button = [...document.querySelectorAll("button")].find(
            ({ disabled, textContent }) => !disabled && textContent!.trim() === name,
          );
          if (!button || !document.querySelector(selector!)) return;
          observer.disconnect();
          button.click();
          resolve();
        };
        const observer = new MutationObserver(press);
        observer.observe(document.body, {
          attributes: true,
          childList: true,
          characterData: true,
          subtree: true,
        });
        press();
      }),
    [name, selector],
  );

/** Wait until the page knows its device, by which it chooses a net and enables buttons; their colours change slowly. */
export const knowsDevice = (page: Page): Promise<void> =>
  page.locator(".chip", { hasNotText: "Looking for a GPU" }).waitFor();

/** True if the browser asks before it closes the tab; it is then told not to. */
export async function asksBeforeClosing(page: Page): Promise<boolean> {
  const asked = new Promise<boolean>((resolve) => {
    page.once("close", () => resolve(false));
    page.once("dialog", async (dialog) => {
      await dialog.dismiss();
      resolve(dialog.type() === "beforeunload");
    });
  });
  await page.close({ runBeforeUnload: true });
  return asked;
}

/** Make the page's worker lose its device at its next work on it. */
export async function loseDevice(page: Page): Promise<void> {
  await page.workers()[0]!.evaluate(() => {
    const { prototype } = GPUDevice;
    const original = prototype.createCommandEncoder;
    prototype.createCommandEncoder = function (...args) {
      prototype.createCommandEncoder = original;
      this.destroy();
      return original.apply(this, args);
    };
  });
}

/** A photograph of the repository. */
export function photograph(name: string): string {
  const path = join(ROOT, "examples", "photographs", name);
  if (!existsSync(path)) throw new Error(`there is no ${path}`);
  return path;
}
