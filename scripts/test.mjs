// npm test [-- arguments of vitest, such as `--project node` or a part of a file's name]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describeAdapter, findAdapter } from "./setup/adapter.mjs";
import { embeddedSupported, provideSwiftshader } from "./setup/embedded.mjs";
import { install, ROOT, runSync } from "./setup/install.mjs";
import { attempt } from "./setup/run.mjs";
import { forgetTotals, readTotals, recordExit } from "./test/totals.mjs";

const args = process.argv.slice(2);
const wanted = args.some((arg) => arg.startsWith("--project")) ? [] : ["node", "swiftshader", "chromium"];

mkdirSync(join(ROOT, ".cache"), { recursive: true });
forgetTotals();
install();

const { build } = await import("./setup/build.mjs"); // once, for all tests of what is built
await build();
const adapter = attempt(findAdapter);
console.log(describeAdapter(adapter));
const projects = wanted.filter((name) => {
  if (name !== "swiftshader") return true;
  if (embeddedSupported && !adapter.embedded) return true;
  const reason = adapter.embedded ? "it is what the node tests run on" : "there is none for this platform";
  console.log(`swiftshader: left out, because ${reason}`);
  return false;
});
if (projects.includes("swiftshader")) attempt(provideSwiftshader);
if (projects.includes("chromium")) {
  const { chromiumLaunchOptions } = await import("./setup/chromium.mjs"); // imports what `install` has just provided
  console.log(`chromium: ${attempt(chromiumLaunchOptions).executablePath}`);
}

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
  {
    ...(adapter.embedded ? { SHADEGRAD_ADAPTER: "embedded" } : {}),
    ...(args.length === 0 ? { SHADEGRAD_MUST_RUN: projects.join() } : {}),
  },
);
recordExit(status);
const totals = readTotals();
console.log(totals.lines.join("\n"));
process.exit(totals.failed ? 1 : 0);
