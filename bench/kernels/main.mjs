// npm run bench: speed of each kernel here, beside the adapter's peaks.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { init } from "@shadegrad/tensor";
import { benchmark, compared, heading, line, reportPage, rows, summary } from "../index.mjs";
import { chosenOf, optionsOf } from "../options.mjs";
import { provenance } from "../provenance.mjs";

const USAGE = `npm run bench -- [options]

  --filter TEXT       rows whose names contain this; may be given again
  --variants          each variant that could do it, under the one that is chosen
  --json FILE         all results, to be read by programs and by --compare
  --html FILE         a page with a roofline plot
  --compare OLD.json  how much faster each row is than in that report
  --list              the names of the rows`;

const options = optionsOf(USAGE, {
  variants: { type: "boolean", default: false },
  html: { type: "string" },
  compare: { type: "string" },
});
const { variants, json, html, compare } = options;
const chosen = chosenOf(USAGE, rows(), options);
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
const described = { ...provenance(), ...measured };
if (old) console.log(`\n${compared(measured, old)}`);
if (json) writeFileSync(json, `${JSON.stringify(described, undefined, 1)}\n`);
if (html) {
  const chart = createRequire(import.meta.url).resolve("chart.js"); // the one for scripts lies beside it
  writeFileSync(html, reportPage(described, readFileSync(join(dirname(chart), "chart.umd.min.js"), "utf8")));
}
device.destroy();
process.exit(); // Dawn keeps the process alive
