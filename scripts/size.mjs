// npm run size [-- --modules N]: what a page downloads that predicts with a ResNet, and one that trains one too, on a GPU
// and on a software adapter; it fails where one of them is over its limit on a GPU.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { install, ROOT } from "./setup/install.mjs";

const { values } = parseArgs({ options: { modules: { type: "string", default: "15" } } });
install();
const { build } = await import("./setup/build.mjs");
await build();

const { BUDGET, bundleSize, NOT_ON_A_GPU, ON_DEMAND, PREDICT_BUDGET } = await import("./size/bundle.mjs");
const page = join(ROOT, "scripts", "size", "page.mjs");
const { bytes, gzip, modules } = await bundleSize(page, { without: NOT_ON_A_GPU });
const predict = await bundleSize(join(ROOT, "scripts", "size", "predict.mjs"), { without: NOT_ON_A_GPU });
const software = await bundleSize(page, { without: ON_DEMAND });
const kilobytes = (/** @type {number} */ bytes) => (bytes / 1000).toFixed(1);
console.log(
  `a page that predicts, on a GPU: ${kilobytes(predict.gzip)} KB gzip of at most ${kilobytes(PREDICT_BUDGET)}`,
);
console.log("one that predicts and trains");
console.log(
  `on a GPU: ${kilobytes(gzip)} KB gzip of at most ${kilobytes(BUDGET)}; ${kilobytes(bytes)} KB minified`,
);
console.log(
  `on a software adapter: ${kilobytes(software.gzip)} KB gzip; ${kilobytes(software.bytes)} KB minified`,
);
console.log("\nthe largest modules before that, KB:");
for (const { name, bytes } of modules.slice(0, Number(values.modules))) {
  console.log(`${kilobytes(bytes).padStart(6)}  ${name}`);
}
process.exit(gzip > BUDGET || predict.gzip > PREDICT_BUDGET ? 1 : 0);
