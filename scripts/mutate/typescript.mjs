// Runs StrykerJS, in place, on a copy of what is committed.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../setup/install.mjs";
import { keyOf, sample } from "./sample.mjs";

/** Fetched on demand: nothing else needs its 170 packages. */
const VERSION = "9.6.1";
const PACKAGES = ["core", "instrumenter", "vitest-runner"].map(
  (name) => `@stryker-mutator/${name}@${VERSION}`,
);
const COPY = join(ROOT, ".cache", "mutate", "copy");
const STRYKER = join(COPY, ".cache", "stryker");

/** Tests of every op, of wrong calls, and PyTorch's answers. */
const OF_ALL = ["every-op", "fixtures", "mistakes", "options"].map(
  (name) => `packages/tensor/test/${name}.test.ts`,
);

/** Folders of sources, and the tests that are to notice a fault there. */
const FOLDERS = {
  "packages/tensor/src/compile": ["packages/tensor/test/compile"],
  "packages/tensor/src/ops": [
    "packages/tensor/test/ops",
    "packages/tensor/test/core/debug.node.test.ts",
    ...OF_ALL,
  ],
  "packages/tensor/src/core": [
    ...["core", "compile", "ops/elementwise.test.ts", "ops/unary.test.ts"].map(
      (path) => `packages/tensor/test/${path}`,
    ),
    ...OF_ALL,
  ],
  "packages/tensor/src/formats": ["packages/tensor/test/formats"],
  "packages/resnet/src/checkpoints": ["packages/resnet/test/checkpoints"],
  "packages/resnet/src/training": ["packages/resnet/test/training"],
};

/** Texts of messages: a test that repeats each would say everything twice. */
const EXCLUDED = ["StringLiteral"];

/**
 * Print the mutants that no test noticed, and the score, folder by folder.
 *
 * @param {import("./sample.mjs").Wanted} wanted
 */
export async function mutateTypeScript({ limit, seed, only }) {
  prepareCopy();
  const found = (await Promise.all(Object.keys(FOLDERS).map(mutantsOf))).flat();
  const all = found.filter(({ file }) => file.includes(only));
  const chosen = sample(all, limit, seed);
  const totals = { noticed: 0, counted: 0 };
  for (const [folder, tests] of Object.entries(FOLDERS)) {
    const own = chosen.filter((mutant) => mutant.folder === folder);
    if (own.length === 0) continue;
    const wanted = new Set(own.map(keyOf));
    const results = (await runStryker(own, tests)).filter((mutant) => wanted.has(keyOf(mutant)));
    const noticed = results.filter(({ status }) => status === "Killed" || status === "Timeout");
    const missed = results.filter(({ status }) => status === "Survived" || status === "NoCoverage");
    for (const { file, location, mutatorName, replacement, status } of missed)
      console.log(`${status}: ${file}:${location.start.line} ${mutatorName} → ${oneLine(replacement)}`);
    console.log(`${folder}: ${noticed.length} of ${noticed.length + missed.length} mutants noticed`);
    totals.noticed += noticed.length;
    totals.counted += noticed.length + missed.length;
  }
  const percent = ((100 * totals.noticed) / totals.counted).toFixed(1);
  console.log(`TypeScript: ${totals.noticed} of ${totals.counted} mutants noticed (${percent} %).`);
}

/** A clone with its own packages: Stryker rewrites the sources while it runs. */
function prepareCopy() {
  rmSync(COPY, { recursive: true, force: true });
  mkdirSync(COPY, { recursive: true });
  command(ROOT, {}, "git", "clone", "--quiet", "--local", ".", COPY);
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  command(
    COPY,
    {},
    "npx",
    "--yes",
    packageManager,
    "install",
    "--frozen-lockfile",
    "--prefer-offline",
    "--silent",
  );
  mkdirSync(STRYKER, { recursive: true });
  writeFileSync(join(STRYKER, "package.json"), '{ "private": true }');
  command(
    STRYKER,
    {},
    "npm",
    "install",
    "--no-audit",
    "--no-fund",
    "--legacy-peer-deps",
    "--silent",
    ...PACKAGES,
  );
}

/** @typedef {import("./sample.mjs").Mutant} Mutant */

/**
 * Every mutant of a folder's sources, as Stryker finds them.
 *
 * @param {string} folder
 * @returns {Promise<(Mutant & { folder: string })[]>}
 */
async function mutantsOf(folder) {
  const require = createRequire(join(STRYKER, "package.json"));
  const path = require.resolve("@stryker-mutator/instrumenter");
  const { createInstrumenter } = await import(pathToFileURL(path).href);
  const { createInjector } = await import(pathToFileURL(createRequire(path).resolve("typed-inject")).href);
  const names = readdirSync(join(COPY, folder), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  const files = names.sort().map((name) => {
    const path = join(COPY, folder, name);
    return { name: path, content: readFileSync(path, "utf8"), mutate: true };
  });
  const silent = new Proxy({}, { get: (_, name) => () => !/^is.*Enabled$/.test(String(name)) && undefined });
  const { mutants } = await createInjector()
    .provideValue("logger", silent)
    .injectFunction(createInstrumenter)
    .instrument(files, { plugins: null, excludedMutations: EXCLUDED, ignorers: [] });
  /** @type {(Omit<Mutant, "file"> & { fileName: string })[]} */
  const found = mutants;
  return found.map(({ fileName, location: { start, end }, mutatorName, replacement }) => ({
    folder,
    file: fileName.slice(COPY.length + 1),
    // Counted from 0 there, from 1 in reports and ranges.
    location: {
      start: { line: start.line + 1, column: start.column + 1 },
      end: { line: end.line + 1, column: end.column + 1 },
    },
    mutatorName,
    replacement,
  }));
}

/** @param {string} text */
const oneLine = (text) => text.replace(/\s+/g, " ").slice(0, 60);

/**
 * Run Stryker on some mutants. Those that it finds within them are in the result too, with the status of an error.
 *
 * @param {readonly Mutant[]} mutants
 * @param {readonly string[]} tests
 * @returns {Promise<(Mutant & { status: string })[]>}
 */
async function runStryker(mutants, tests) {
  const report = join(COPY, ".cache", "mutation.json");
  rmSync(report, { force: true });
  const places = mutants.map(
    ({ file, location: { start, end } }) =>
      `${file}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`,
  );
  const config = {
    inPlace: true,
    mutate: [...new Set(places)],
    mutator: { excludedMutations: EXCLUDED },
    plugins: [
      createRequire(join(STRYKER, "package.json")).resolve("@stryker-mutator/vitest-runner"),
      join(import.meta.dirname, "chosen.mjs"),
    ],
    testRunner: "vitest",
    vitest: { configFile: "scripts/mutate/vitest.config.ts" },
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: report },
    coverageAnalysis: "perTest",
    concurrency: 1,
    timeoutMS: 60_000,
    dryRunTimeoutMinutes: 30,
    tempDirName: ".cache/stryker-tmp",
    checkers: ["chosen"],
    allowConsoleColors: false,
  };
  writeFileSync(join(COPY, "stryker.config.json"), JSON.stringify(config));
  const chosen = join(COPY, ".cache", "chosen.json");
  writeFileSync(chosen, JSON.stringify(mutants.map(keyOf)));
  const env = { MUTATE_TESTS: tests.join(), MUTATE_CHOSEN: chosen };
  command(COPY, env, process.execPath, stryker(), "run", "stryker.config.json");
  const { files } = JSON.parse(readFileSync(report, "utf8"));
  /** @type {[file: string, { mutants: (Omit<Mutant, "file"> & { status: string })[] }][]} */
  const found = Object.entries(files);
  return found.flatMap(([file, { mutants }]) => mutants.map((mutant) => ({ file, ...mutant })));
}

const stryker = () => join(STRYKER, "node_modules", "@stryker-mutator", "core", "bin", "stryker.js");

/**
 * Run a command to its end; its output goes to standard error.
 *
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env what is added to the environment
 * @param {string} name
 * @param {...string} args
 */
function command(cwd, env, name, ...args) {
  const { status } = spawnSync(name, args, {
    cwd,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, ...env },
    shell: process.platform === "win32" && name !== process.execPath,
  });
  if (status !== 0) throw new Error(`mutate: ${name} ${args.join(" ")} ended with ${status}.`);
}
