import { defineBrowserProvider } from "@vitest/browser";
import { firefoxLaunchOptions } from "../setup/firefox.mjs";

/** @typedef {import("vitest/node").BrowserProvider} BrowserProvider */

/**
 * The installed Firefox, for vitest. Playwright drives only a Firefox of its own making.
 *
 * @implements {BrowserProvider}
 */
class FirefoxProvider {
  name = "firefox";
  supportsParallelism = false;
  /** @type {Promise<import("puppeteer-core").Browser> | undefined} */
  #browser;

  getCommandsContext() {
    return {};
  }

  /**
   * @param {string} _ the session
   * @param {string} url
   */
  async openPage(_, url) {
    // Not when vitest reads its configuration, which it does for every other project too.
    this.#browser ??= import("puppeteer-core").then(({ launch }) => launch(firefoxLaunchOptions()));
    const page = await (await this.#browser).newPage();
    await page.goto(url, { timeout: 0 });
  }

  async close() {
    const browser = await this.#browser?.catch(() => undefined);
    await browser?.close();
  }
}

export const firefox = () =>
  defineBrowserProvider({
    name: "firefox",
    supportedBrowser: ["firefox"],
    options: {},
    providerFactory: () => new FirefoxProvider(),
  });
