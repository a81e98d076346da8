#!/usr/bin/env node
// A checkout is set up first: install, build, and an adapter for machines that have none.
import { existsSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "..");
if (existsSync(join(folder, "src"))) {
  const { runOnAdapter } = await import("../../../scripts/setup/run.mjs");
  await runOnAdapter(join(folder, "dist", "run.js"), process.argv.slice(2), {
    cwd: process.cwd(),
    quiet: true,
  });
} else {
  await import("../dist/run.js");
}
