import { parseArgs } from "node:util";

/** @typedef {NonNullable<import("node:util").ParseArgsConfig["options"]>} Options */

/** @template {Options} T @typedef {ReturnType<typeof parseArgs<{ options: T }>>["values"]} Values */

/**
 * Options of a benchmark's command line: its own, and those that all have. If it is wrong, or asks for help,
 * the process ends here.
 *
 * @template {Options} T
 * @param {string} usage whose first line begins with the command
 * @param {T} own
 * @returns {Values<T> & { filter: string[], json?: string, list: boolean }}
 */
export function optionsOf(usage, own) {
  const shared = /** @type {const} */ ({
    filter: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  });
  try {
    const values = /** @type {any} */ (parseArgs({ options: { ...own, ...shared } }).values);
    if (!values.help) return values;
    console.log(usage);
  } catch (error) {
    complain(usage, /** @type {Error} */ (error).message);
  }
  process.exit();
}

/**
 * Elements whose names contain one of the texts, all if there is none; with `list` their names are printed and that is it.
 *
 * @template {{ name: string }} T
 * @param {string} usage
 * @param {readonly T[]} all
 * @param {{ filter: readonly string[], list: boolean }} options
 */
export function chosenOf(usage, all, { filter, list }) {
  const chosen = all.filter(({ name }) => filter.length === 0 || filter.some((part) => name.includes(part)));
  if (chosen.length === 0) complain(usage, `no name contains ${filter.join(" or ")}; --list gives them all`);
  if (!list) return chosen;
  console.log(chosen.map(({ name }) => name).join("\n"));
  process.exit();
}

/**
 * @param {string} usage
 * @param {string} what
 * @returns {never}
 */
export function complain(usage, what) {
  const [command] = usage.split(" -- ");
  console.error(`${command?.replace("npm run ", "")}: ${what.replace(/\.$/, "")}.\n\n${usage}`);
  process.exit(2);
}
