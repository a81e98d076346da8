import { spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { describeAdapter, findAdapter } from "./adapter.mjs";
import { fail, install, ROOT } from "./install.mjs";

/**
 * Do all the set-up that a script of this repository needs, then run it under plain Node on the built packages, and end
 * as it does.
 *
 * @param {string} script
 * @param {readonly string[]} args
 * @param {{ cwd?: string, quiet?: boolean }} [options] where it runs, and whether the adapter is not worth a line
 */
export async function runOnAdapter(script, args, { cwd = ROOT, quiet = false } = {}) {
  const adapter = await setUp();
  if (!quiet) console.log(describeAdapter(adapter));
  process.exit(await run(script, args, { cwd, env: adapter.env }));
}

/** Install, build, and find an adapter; if that fails, the process ends with the reason. */
export async function setUp() {
  install();
  const { build } = await import("./build.mjs"); // imports what `install` has just provided
  await build();
  return attempt(findAdapter);
}

/**
 * Run a script to its end under plain Node, its output ours, and give its exit code. It gets the signals that would end
 * this process, for it may have something to save.
 *
 * @param {string} script
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env: NodeJS.ProcessEnv }} options `env` is added to this process's own
 * @returns {Promise<number>}
 */
export async function run(script, args, { cwd = ROOT, env }) {
  // Standard error is filtered by lines, for Dawn's warnings; progress bars get the terminal as descriptor 3.
  const watched = process.stderr.isTTY;
  const preload = watched ? ["--import", new URL("terminal.mjs", import.meta.url).href] : [];
  const child = spawn(process.execPath, [...preload, script, ...args], {
    cwd,
    stdio: ["inherit", "inherit", "pipe", ...(watched ? [2] : [])],
    env: { ...process.env, ...env },
  });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  const { stderr } = child;
  if (stderr) createInterface({ input: stderr }).on("line", (line) => isNoise(line) || console.error(line));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve(status ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** @param {string} line Dawn prints these for every software adapter, and they do not matter here */
const isNoise = (line) => /^Warning: maxDynamic\w+ artificially reduced/.test(line);

const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * Call `find`; if it throws, the process ends with the reason.
 *
 * @template T
 * @param {() => T} find
 * @returns {T}
 */
export function attempt(find) {
  try {
    return find();
  } catch (error) {
    const { message, cause } = /** @type {Error} */ (error);
    fail(cause ? `${message}\n${cause}` : message);
  }
}
