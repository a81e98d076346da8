import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ROOT, runSync } from "./install.mjs";

const FOLDER = join("bench", "peers");
const STAMP = join(ROOT, FOLDER, "node_modules", ".installed");

/** Install the other engines, 530 MB, unless that has been done since their lockfile last changed. */
export function installPeers() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  const wanted = hash.update(readFileSync(join(ROOT, FOLDER, "package-lock.json"))).digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;

  console.error(`install: npm ci, in ${FOLDER}`);
  // No install scripts: ONNX Runtime's fetches files for CUDA, and WebGPU comes with the package.
  const { status } = runSync("npm", [
    "ci",
    "--prefix",
    FOLDER,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
  ]);
  if (status !== 0) fail("install: npm failed; its output above says why.");
  writeFileSync(STAMP, wanted);
}
