import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The oldest version that tests have run in. */
const OLDEST = 153;

/** Preferences without which there is no WebGPU on Linux: it is off there, and software adapters are refused. */
const PREFERENCES = { "dom.webgpu.enabled": true, "gfx.webgpu.ignore-blocklist": true };

/** @returns {string | undefined} the installed Firefox; `SHADEGRAD_FIREFOX` may be its path */
function executable() {
  return (process.env.SHADEGRAD_FIREFOX ? [process.env.SHADEGRAD_FIREFOX] : places()).find((path) =>
    existsSync(path),
  );
}

function places() {
  if (process.platform === "darwin") return ["/Applications/Firefox.app/Contents/MacOS/firefox"];
  if (process.platform === "win32")
    return [join(process.env.PROGRAMFILES ?? "", "Mozilla Firefox", "firefox.exe")];
  return (process.env.PATH ?? "")
    .split(":")
    .flatMap((folder) => ["firefox-esr", "firefox"].map((name) => join(folder, name)))
    .filter((path) => !path.startsWith("/snap/")); // a snap sees no profile in the temporary folder
}

/**
 * The reason that no test runs in Firefox here.
 *
 * @returns {string | undefined} undefined if tests do
 */
export function firefoxLacking() {
  const path = executable();
  if (!path) return "there is none on this machine (Debian: firefox-esr)";
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 60_000 });
  const version = /Firefox (\d+)/.exec(stdout ?? "")?.[1];
  if (!version) return `${path} does not start`;
  return Number(version) < OLDEST ? `${path} is version ${version}, older than ${OLDEST}` : undefined;
}

/**
 * Options of Puppeteer that launch it without a window, by WebDriver BiDi, the protocol that a release of Firefox speaks.
 *
 * @returns {import("puppeteer-core").LaunchOptions}
 * @throws {Error} that says what to install
 */
export function firefoxLaunchOptions() {
  const executablePath = executable();
  if (!executablePath) throw new Error(`firefox: ${firefoxLacking()}.`);
  return {
    browser: "firefox",
    executablePath,
    headless: true,
    extraPrefsFirefox: PREFERENCES,
    timeout: 120_000, // a software adapter shares its cores with everything else that runs
    protocolTimeout: 300_000,
  };
}
