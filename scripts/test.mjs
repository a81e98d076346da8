// npm test [-- arguments of vitest, such as `--project node` or a part of a file's name]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describeAdapter, findAdapter } from "./setup/adapter.mjs";
import { denoSupported, isDenoHere, provideDeno } from "./setup/deno.mjs";
import { embeddedSupported, provideSwiftshader } from "./setup/embedded.mjs";
import { install, ROOT, runSync } from "./setup/install.mjs";
import { attempt } from "./setup/run.mjs";
import { forgetTotals, readTotals, recordExit } from "./test/totals.mjs";

const args = process.argv.slice(2);
const wanted = args.some((arg) => arg.startsWith("--project"))
  ? []
  : ["node", "swiftshader", "deno", "chromium"];

mkdirSync(join(ROOT, ".cache"), { recursive: true });
forgetTotals();
install();

const { build } = await import("./setup/build.mjs"); // once, for all tests of what is built
await build();
const adapter = attempt(findAdapter);
console.log(describeAdapter(adapter));
/** Reasons to leave projects out here; undefined for those that run. */
const reasons = /** @type {Record<string, string | false | undefined>} */ ({
  swiftshader: !embeddedSupported
    ? "there is none for this platform"
    : adapter.embedded && "it is what the node tests run on",
  deno: !denoSupported
    ? "there is none for this platform"
    : !process.env.CI && !isDenoHere() && "it is 42 MB, fetched where CI is set and by --project deno",
});
const projects = wanted.filter((name) => {
  if (reasons[name]) console.log(`${name}: left out, because ${reasons[name]}`);
  return !reasons[name];
});
if (projects.includes("swiftshader")) attempt(provideSwiftshader);
if (projects.includes("deno")) attempt(provideDeno);
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
