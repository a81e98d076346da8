import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { chromium as playwright } from "playwright";
import { embedded, embeddedSupported, provideChromium } from "./embedded.mjs";

/**
 * Launch options of Playwright for the Chromium that tests run in: Playwright's own, else an installed one, else the
 * embedded one, which is fetched when there is no other. `SHADEGRAD_CHROMIUM` may be a path, or `embedded`.
 *
 * @returns {{ executablePath: string, args: string[], env?: Record<string, string> }}
 * @throws {Error} that says what to install
 */
export function chromiumLaunchOptions() {
  const wanted = process.env.SHADEGRAD_CHROMIUM;
  const candidates = wanted
    ? wanted === "embedded"
      ? []
      : [wanted]
    : [playwright.executablePath(), ...installed()];
  const executablePath = candidates.find((path) => existsSync(path));
  if (executablePath) return { executablePath, args: ARGS };

  if (wanted && wanted !== "embedded")
    throw new Error(`chromium: SHADEGRAD_CHROMIUM is ${wanted}, and there is no such file.`);
  if (!embeddedSupported)
    throw new Error("chromium: there is none on this machine. Install Chrome, Chromium or Edge.");
  try {
    provideChromium();
  } catch (cause) {
    throw new Error("chromium: there is none on this machine, and fetching one failed. Install Chromium.", {
      cause,
    });
  }
  return { executablePath: embedded.chromium, args: ARGS, env: embeddedEnvironment() };
}

/** True if the Chromium of the tests can copy a picture to a texture; the embedded one loses its adapter at that. */
export const copiesPictures = () => chromiumLaunchOptions().executablePath !== embedded.chromium;

const ARGS = [
  "--enable-unsafe-webgpu", // on Linux, Chromium offers WebGPU only when asked
  // Chromium accepts only its own SwiftShader as a software adapter; on every Linux machine the same one, so that
  // results are the same bits. Elsewhere Chromium has no SwiftShader for WebGPU, and the GPU is what there is.
  ...(process.platform === "linux" ? ["--use-webgpu-adapter=swiftshader"] : []),
  // Tests fetch nothing from outside; nor need the browser.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
];

function installed() {
  const local = process.env.LOCALAPPDATA ?? "";
  const programs = [process.env.PROGRAMFILES ?? "", process.env["PROGRAMFILES(X86)"] ?? "", local];
  switch (process.platform) {
    case "darwin":
      return ["Google Chrome", "Chromium", "Microsoft Edge"].map(
        (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
      );
    case "win32":
      return programs.flatMap((folder) => [
        join(folder, "Google", "Chrome", "Application", "chrome.exe"),
        join(folder, "Microsoft", "Edge", "Application", "msedge.exe"),
      ]);
    default:
      return (process.env.PATH ?? "")
        .split(":")
        .flatMap((folder) =>
          ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].map((name) =>
            join(folder, name),
          ),
        );
  }
}

function embeddedEnvironment() {
  const env = /** @type {Record<string, string>} */ ({ ...process.env, FONTCONFIG_PATH: embedded.fonts });
  // The bundled libraries would shadow newer installed ones, so they are for a machine that lacks them.
  const starts = spawnSync(embedded.chromium, ["--version"], { env }).status === 0;
  if (!starts) env.LD_LIBRARY_PATH = [embedded.libraries, env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  return env;
}
