import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./install.mjs";

const CACHE = join(ROOT, ".cache");

/**
 * A package that is fetched when a run turns out to need it, and not with every install.
 *
 * @typedef {object} NpmPackage
 * @property {string} name with its version
 * @property {string} integrity of its tarball, as the registry gives it
 * @property {number} megabytes of its tarball
 */

/**
 * Make `path` with `make`, unless it exists. It appears whole or not at all, so an interrupted run leaves nothing
 * behind that a later one would trust, and two at once do no harm.
 *
 * @param {string} path in the cache
 * @param {(path: string) => void} make
 */
export function provide(path, make) {
  if (existsSync(path)) return;
  mkdirSync(CACHE, { recursive: true });
  const scratch = mkdtempSync(join(CACHE, "making-"));
  try {
    const made = join(scratch, "made");
    make(made);
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) renameSync(made, path);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Fetch a package's files into a new folder, through npm, which knows the registry and how to reach it.
 *
 * @param {NpmPackage} wanted
 * @param {string} folder
 * @throws {Error} if npm fails, or the tarball is another one
 */
export function fetchPackage({ name, integrity, megabytes }, folder) {
  console.log(`fetching ${name}, ${megabytes} MB`);
  mkdirSync(folder);
  run("npm", ["pack", name, "--loglevel=error", "--pack-destination", folder]);
  const [tarball = ""] = readdirSync(folder);
  const bytes = readFileSync(join(folder, tarball));
  const found = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (found !== integrity) throw new Error(`${name} is ${found} but should be ${integrity}`);
  run("tar", ["-xz", "--no-same-owner", "-C", folder, "--strip-components=1"], bytes);
  rmSync(join(folder, tarball));
}

/**
 * Run a command to its end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Uint8Array} [input]
 * @throws {Error} with what it printed, if it fails
 */
export function run(command, args, input) {
  // npm is a .cmd file on Windows, which only a shell starts.
  const shell = process.platform === "win32" && command === "npm";
  const { status, error, stderr } = spawnSync(command, args, { cwd: ROOT, input, encoding: "utf8", shell });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}
