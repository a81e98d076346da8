// npm test [-- arguments of vitest, `--project node` for one]
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeAdapter, findAdapter } from "./setup/adapter.mjs";
import { embeddedSupported } from "./setup/embedded.mjs";
import { fail, install, ROOT, runSync } from "./setup/install.mjs";

const TOTALS = join(ROOT, ".cache", "totals.json");
const args = process.argv.slice(2);

install();
const adapter = findAdapter();
console.log(describeAdapter(adapter));

const projects = chooseProjects();
if (projects.includes("chromium")) {
  // Playwright is there only once the install has run.
  const { chromiumLaunchOptions } = await import("./setup/chromium.mjs");
  console.log(`chromium: ${chromiumLaunchOptions().executablePath}`);
}

mkdirSync(join(ROOT, ".cache"), { recursive: true });
rmSync(TOTALS, { force: true });
const { status } = runSync(
  process.execPath,
  [
    join("node_modules", "vitest", "vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=./scripts/test/totals.mjs",
    ...projects.flatMap((name) => ["--project", name]),
    ...args,
  ],
  { ...adapter.env, SHADEGRAD_TOTALS: TOTALS },
);
process.exit(summarize() ? (status ?? 1) : 1);
