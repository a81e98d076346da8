import { describeAdapter, findAdapter } from "./adapter.mjs";
import { fail, install, runSync } from "./install.mjs";

/**
 * Do all the set-up that a script of this repository needs, then run it under plain Node on the built packages.
 *
 * @param {string} script
 * @param {readonly string[]} args
 */
export async function runOnAdapter(script, args) {
  install();
  const { build } = await import("./build.mjs"); // imports what `install` has just provided
  await build();
  const adapter = attempt(findAdapter);
  console.log(describeAdapter(adapter));
  const { status } = runSync(process.execPath, [script, ...args], adapter.env);
  process.exit(status ?? 1);
}

/**
 * What `find` finds; if it throws, the process ends with the reason.
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
