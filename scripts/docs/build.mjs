import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, runSync } from "../setup/install.mjs";
import { DOCS, REFERENCE, writeReference } from "./reference.mjs";

/** Folder of the built site, to be served under `/docs/`. */
export const DOCS_SITE = join(DOCS, "dist");

const BUILT = join(ROOT, ".cache", "built");
const STAMP = join(BUILT, "docs");

/** Folders that decide what the site is. */
const INPUTS = [
  "docs",
  "bench/results",
  "examples",
  "scripts/docs",
  ...["kernels-wgsl", "tensor", "resnet"].map((name) => `packages/${name}/src`),
];

/**
 * Build the site of guides and reference, unless nothing has changed since the last time. The live cells use the packages'
 * `dist`, which has to be there.
 *
 * @throws {Error} at a dead link, or an include of what is not there
 */
export async function buildDocs() {
  const wanted = fingerprint();
  if (existsSync(STAMP) && existsSync(DOCS_SITE) && readFileSync(STAMP, "utf8") === wanted) return;

  console.error("build: docs");
  rmSync(STAMP, { force: true });
  rmSync(REFERENCE, { recursive: true, force: true });
  await writeReference();
  const vitepress = join(DOCS, "node_modules", "vitepress", "bin", "vitepress.js");
  const { status } = runSync(process.execPath, [vitepress, "build", DOCS], { NODE_ENV: "production" }, 2);
  if (status !== 0 || !existsSync(join(DOCS_SITE, "index.html")))
    throw new Error("docs: the site could not be built; VitePress' output says why.");
  mkdirSync(BUILT, { recursive: true });
  writeFileSync(STAMP, wanted);
}

function fingerprint() {
  const hash = createHash("sha256").update(readFileSync(join(ROOT, "pnpm-lock.yaml")));
  for (const folder of INPUTS) {
    const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !IGNORED.test(path.slice(ROOT.length)));
    for (const path of paths.sort()) hash.update(path.slice(ROOT.length)).update(readFileSync(path));
  }
  return hash.digest("hex");
}

const IGNORED = /^docs[\\/](dist|reference|node_modules)[\\/]|\.png$/;
