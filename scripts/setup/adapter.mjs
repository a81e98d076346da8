import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedSupported, provideSwiftshader, swiftshaderEnvironment } from "./embedded.mjs";
import { ROOT } from "./install.mjs";

/**
 * @typedef {object} Adapter
 * @property {string} name as Dawn describes it
 * @property {boolean} software
 * @property {boolean} embedded whether it is the SwiftShader that came from npm
 * @property {Record<string, string>} env what a process needs in its environment, from its start, to get this adapter
 */

/**
 * Find the adapter that Node is going to compute on: a GPU, else an installed software Vulkan driver that Dawn accepts,
 * else the embedded SwiftShader. `SHADEGRAD_ADAPTER=embedded` goes straight to the last.
 *
 * @returns {Adapter}
 * @throws {Error} that says what to install
 */
export function findAdapter() {
  const env = runtimeFolder();
  if (process.env.SHADEGRAD_ADAPTER !== "embedded") {
    // Dawn lists GPUs before software drivers, so its default is the first of our two choices.
    const installed = probe(env);
    if (installed) return { ...installed, embedded: false, env };
  }
  if (!embeddedSupported) throw new Error(`adapter: WebGPU finds none on this machine. ${INSTALL_A_DRIVER}`);

  try {
    provideSwiftshader();
  } catch (cause) {
    const reason = "WebGPU finds none on this machine, and fetching SwiftShader failed";
    throw new Error(`adapter: ${reason}. ${INSTALL_A_DRIVER}`, { cause });
  }
  const embeddedEnv = { ...env, ...swiftshaderEnvironment };
  const swiftshader = probe(embeddedEnv);
  if (!swiftshader)
    throw new Error(
      `adapter: WebGPU finds none, and the embedded SwiftShader does not start. ${INSTALL_A_DRIVER}`,
    );
  return { ...swiftshader, embedded: true, env: embeddedEnv };
}

/**
 * One line: what was taken, and for a software adapter how to get a faster one.
 *
 * @param {Adapter} adapter
 */
export function describeAdapter({ name, software, embedded }) {
  if (!software) return `adapter: ${name}`;
  if (!embedded) return `adapter: ${name}, in software. A GPU with its Vulkan driver would be far faster.`;
  return `adapter: ${name}, in software, from npm. Mesa's llvmpipe is eight times faster. ${INSTALL_A_DRIVER}`;
}

const INSTALL_A_DRIVER =
  process.platform === "linux"
    ? "Install a GPU's Vulkan driver, or Mesa 24 or newer (Debian, Ubuntu: mesa-vulkan-drivers, on Debian 12 from backports; Fedora: mesa-vulkan-drivers)."
    : "Install the GPU's driver.";

/**
 * Mesa complains on every start where XDG_RUNTIME_DIR is missing, as it is for services and in containers.
 *
 * @returns {Record<string, string>}
 */
export function runtimeFolder() {
  if (process.platform !== "linux" || process.env.XDG_RUNTIME_DIR) return {};
  const folder = join(tmpdir(), `shadegrad-${process.getuid?.()}`);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  return { XDG_RUNTIME_DIR: folder };
}

/**
 * Ask Dawn for an adapter, in a process with this environment.
 *
 * @param {Record<string, string>} env
 * @returns {{ name: string, software: boolean } | undefined}
 */
function probe(env) {
  const { stdout } = spawnSync(process.execPath, [join(ROOT, "scripts", "setup", "probe.mjs")], {
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
  const info = JSON.parse(stdout.trim().split("\n").at(-1) || "null"); // drivers may print before it
  if (!info) return;
  const name = [info.description, info.device, info.architecture, info.vendor].find(Boolean) ?? "unnamed";
  return {
    name,
    software:
      info.isFallbackAdapter || /llvmpipe|swiftshader|software|basic render/i.test(JSON.stringify(info)),
  };
}
