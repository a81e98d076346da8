// npm run bench: how fast each kernel is here, against what the adapter can do.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { init } from "@shadegrad/tensor";
import { benchmark, compared, heading, line, reportPage, rows, summary } from "./index.mjs";

const USAGE = `npm run bench -- [options]

  --filter TEXT       rows whose names contain this; may be given again
  --variants          each variant that could do it, under the one that is chosen
  --json FILE         all results, to be read by programs and by --compare
  --html FILE         a page with a roofline plot
  --compare OLD.json  how much faster each row is than in that report
  --list              the names of the rows`;

const { values } = parseArgs({
  options: {
    filter: { type: "string", multiple: true, default: [] },
    variants: { type: "boolean", default: false },
    json: { type: "string" },
    html: { type: "string" },
    compare: { type: "string" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const { filter, variants, json, html, compare } = values;
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const chosen = rows().filter(({ name }) => filter.length === 0 || filter.some((part) => name.includes(part)));
if (values.list) {
  console.log(chosen.map(({ name }) => name).join("\n"));
  process.exit();
}
if (chosen.length === 0) {
  console.error(`bench: no row's name contains ${filter.join(" or ")}; --list gives them all.`);
  process.exit(2);
}
const old = compare ? JSON.parse(readFileSync(compare, "utf8")) : undefined;

const device = await init({ quiet: true });
/** @type {import("./benchmark.mjs").Report | undefined} */
let report;
const measured = await benchmark(device, {
  rows: chosen,
  variants,
  onStart(started) {
    report = started;
    console.log(`${summary(started)}\n${heading(old)}`);
  },
  onResult: (result) => report && console.log(line(result, report, old)),
});
const described = { ...measured, commit: commit(), node: process.version };
if (old) console.log(`\n${compared(measured, old)}`);
if (json) writeFileSync(json, `${JSON.stringify(described, undefined, 1)}\n`);
if (html) {
  const chart = createRequire(import.meta.url).resolve("chart.js"); // the one for scripts lies beside it
  writeFileSync(html, reportPage(described, readFileSync(join(dirname(chart), "chart.umd.min.js"), "utf8")));
}
device.destroy();
process.exit(); // Dawn keeps the process alive

/** What is measured, where the history is at hand. */
function commit() {
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  try {
    return (
      git("rev-parse", "--short", "HEAD") +
      (git("status", "--porcelain", "--untracked-files=no") && " and changes")
    );
  } catch {
    return undefined;
  }
}
