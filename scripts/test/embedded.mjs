// npm run test:embedded: a short run on what a machine with Node and nothing else gets, the SwiftShader and the Chromium from
// npm. The whole suite on them is `SHADEGRAD_ADAPTER=embedded SHADEGRAD_CHROMIUM=embedded npm test`.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { embeddedSupported } from "../setup/embedded.mjs";
import { fail, ROOT, runSync } from "../setup/install.mjs";
import { recordNothing } from "./totals.mjs";

const FILES = [
  "test/start.node.test.ts",
  "packages/cli/test/program.node.test.ts",
  "packages/demo/test/views.node.test.ts",
  ...["crop-images", "gather", "loss", "pool", "softmax"].map(
    (op) => `packages/tensor/test/ops/${op}.test.ts`,
  ),
];

process.env.SHADEGRAD_RUN = "embedded";
if (!embeddedSupported) {
  console.log("test:embedded: left out, because there are no embedded parts for this platform");
  recordNothing();
  process.exit(0);
}
for (const file of FILES) if (!existsSync(join(ROOT, file))) fail(`test:embedded: there is no ${file}.`);
const start = performance.now();
const { status } = runSync(process.execPath, ["scripts/test.mjs", "--project=node", ...FILES], {
  SHADEGRAD_ADAPTER: "embedded",
  SHADEGRAD_CHROMIUM: "embedded",
  LC_ALL: "C", // the locale of a machine that has none set up, and with it the browser's language
});
console.log(`test:embedded: ${Math.round((performance.now() - start) / 1000)} s`);
process.exit(status ?? 1);
