// This file runs before anything is installed, so it imports nothing but Node.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const OLDEST_NODE = { major: 20, minor: 19 };
const STAMP = join(ROOT, "node_modules", ".installed");

/** Install what the lockfile names, unless that has been done since it last changed. */
export function install() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < OLDEST_NODE.major || (major === OLDEST_NODE.major && minor < OLDEST_NODE.minor)) {
    const oldest = `${OLDEST_NODE.major}.${OLDEST_NODE.minor}`;
    fail(`install: shadegrad needs Node ${oldest} or newer, and this is ${process.versions.node}.`);
  }
  const wanted = fingerprint();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;

  const { packageManager } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  console.error(`install: ${packageManager} install --frozen-lockfile`);
  // pnpm prints to standard error: the program that runs next may print JSON.
  const { status } = runSync("npx", ["--yes", packageManager, "install", "--frozen-lockfile"], {}, 2);
  if (status !== 0) fail("install: pnpm failed; its output above says why.");
  writeFileSync(STAMP, wanted);
}

/** Everything that decides what node_modules holds. */
function fingerprint() {
  const packages = readdirSync(join(ROOT, "packages")).map((name) => join("packages", name, "package.json"));
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  const others = [
    "package.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    join("bench", "package.json"),
    join("docs", "package.json"),
  ];
  for (const file of [...others, ...packages]) {
    const path = join(ROOT, file);
    if (existsSync(path)) hash.update(file).update(readFileSync(path));
  }
  return hash.digest("hex");
}

/**
 * Run a command from the root, its output ours.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env] what the command sees beside this process's own environment
 * @param {1 | 2} [output] the descriptor that gets its standard output
 */
export function runSync(command, args, env = {}, output = 1) {
  // npm and npx are .cmd files on Windows, which only a shell starts.
  const shell = process.platform === "win32" && command !== process.execPath;
  return spawnSync(command, args, {
    cwd: ROOT,
    stdio: [0, output, 2],
    shell,
    env: { ...process.env, ...env },
  });
}

/**
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  console.error(message);
  process.exit(1);
}
