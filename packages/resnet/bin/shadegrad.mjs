#!/usr/bin/env node
// In a checkout its set-up comes first: the build, and an adapter for machines that have none.
import { existsSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "..");
const setup = join(folder, "..", "..", "scripts", "setup", "run.mjs");
if (existsSync(setup)) {
  const { pathToFileURL } = await import("node:url");
  const { runOnAdapter } = await import(pathToFileURL(setup).href);
  await runOnAdapter(join(folder, "dist", "cli", "run.js"), process.argv.slice(2), {
    cwd: process.cwd(),
    quiet: true,
  });
} else {
  await import("../dist/cli/run.js");
}
