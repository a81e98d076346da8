// npm test [-- arguments of vitest, such as `--project node` or a part of a file's name]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describeAdapter, findAdapter } from "./setup/adapter.mjs";
import { embeddedSupported } from "./setup/embedded.mjs";
import { fail, install, ROOT, runSync } from "./setup/install.mjs";
import { forgetTotals, readTotals } from "./test/totals.mjs";

mkdirSync(join(ROOT, ".cache"), { recursive: true });
forgetTotals();

install();
const args = process.argv.slice(2);
const { adapter, projects } = await prepare().catch((error) =>
  fail(error.cause ? `${error.message} ${error.cause}` : error.message),
);

const { status } = runSync(
  process.execPath,
  [
    join("node_modules", "vitest", "vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=./scripts/test/totals.mjs",
    ...projects.map((name) => `--project=${name}`),
    ...args,
  ],
  adapter.embedded ? { SHADEGRAD_ADAPTER: "embedded" } : {},
);
const totals = readTotals();
console.log(totals.lines.join("\n"));
process.exit(status || (totals.failed ? 1 : 0));

async function prepare() {
  const adapter = findAdapter();
  console.log(describeAdapter(adapter));
  if (args.some((arg) => arg.startsWith("--project"))) return { adapter, projects: [] };

  // Playwright is there only once the install has run.
  const { chromiumLaunchOptions } = await import("./setup/chromium.mjs");
  console.log(`chromium: ${chromiumLaunchOptions().executablePath}`);

  const leftOut = adapter.embedded
    ? "the node tests run on it"
    : !embeddedSupported
      ? "there is none for this platform"
      : "";
  if (leftOut) console.log(`swiftshader: left out, because ${leftOut}`);
  return { adapter, projects: ["node", ...(leftOut ? [] : ["swiftshader"]), "chromium"] };
}
