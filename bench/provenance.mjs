import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

/**
 * Version, place and time of a measurement, but for the adapter.
 *
 * @typedef {object} Provenance
 * @property {string} date
 * @property {string} version
 * @property {string | undefined} commit where the history is at hand
 * @property {string} processor
 * @property {string} node
 */

/** @returns {Provenance} */
export const provenance = () => ({
  date: new Date().toISOString(),
  version: JSON.parse(
    readFileSync(join(import.meta.dirname, "..", "packages", "tensor", "package.json"), "utf8"),
  ).version,
  commit: commitOf(import.meta.dirname),
  processor: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
  node: process.version,
});

/** The adapter and what computes beside it, in a line. @param {Provenance & { adapter: string | undefined }} report */
export const platform = ({ adapter, processor, node }) =>
  `${adapter ?? "adapter unknown"} · ${processor} · Node ${node}`;

/** @param {Provenance} report */
export const ourselves = ({ version, commit }) => `shadegrad ${version}${commit ? ` (${commit})` : ""}`;

/** @param {string} folder of a checkout */
export function commitOf(folder) {
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: "pipe" }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no");
    return git("rev-parse", "--short", "HEAD") + (changed && " and changes");
  } catch {
    return undefined; // a copy without its history
  }
}
