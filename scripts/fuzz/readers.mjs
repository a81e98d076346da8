// node scripts/fuzz/readers.mjs [--files 100000] [--seed 2]: changes files of every format at random and reads them. A fault
// is an error that is no FormatError, more than 2 s of the processor, or more memory than 4 × the file + 64 MiB; its file is kept in .cache/fuzz.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createServer } from "vite";
import { ROOT } from "../setup/install.mjs";

const { values } = parseArgs({
  options: { files: { type: "string", default: "100000" }, seed: { type: "string", default: "2" } },
});
const conditions = ["@shadegrad/source", "module", "node", "development|production"];
const server = await createServer({
  root: ROOT,
  configFile: false,
  cacheDir: join(ROOT, ".cache/vite"),
  server: { middlewareMode: true, watch: null, ws: false },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  resolve: { conditions },
  // Node 20 has no `using`.
  oxc: { target: "es2022" },
  optimizeDeps: { noDiscovery: true, include: [] },
  logLevel: "error",
});
const { fuzz } = await server.ssrLoadModule("/packages/resnet/test/fuzz/readers.ts");
/** @type {unknown[]} */
const lost = [];
process.on("unhandledRejection", (error) => lost.push(error));

const start = performance.now();
const found = await fuzz(
  Number(values.files),
  Number(values.seed),
  (/** @type {number} */ done, /** @type {number} */ mebibytes) => {
    if (done % 10_000 > 0) return;
    const seconds = (performance.now() - start) / 1000;
    console.error(`${done} files, ${seconds.toFixed(0)} s, ${mebibytes.toFixed(0)} MiB`);
  },
);
const { files, read, refused, slowest, largest, processMebibytes, faults } = found;
console.log(`${files} files, seed ${values.seed}: ${read} read, ${refused} refused`);
console.log(`slowest ${slowest.milliseconds.toFixed(0)} ms, ${slowest.file}`);
console.log(`most memory for a file ${largest.mebibytes.toFixed(0)} MiB, ${largest.file}`);
console.log(`process at most ${processMebibytes.toFixed(0)} MiB`);
console.log(`${faults.length} faults, ${lost.length} rejections that nobody handled`);
const folder = join(ROOT, ".cache/fuzz");
if (faults.length > 0) mkdirSync(folder, { recursive: true });
for (const [i, { file, what, bytes }] of faults.entries()) {
  if (i < 20) console.log(`  ${file}: ${what}`);
  writeFileSync(join(folder, `fault-${i}`), bytes);
}
for (const error of lost.slice(0, 5)) console.log(error);
await server.close();
process.exit(faults.length + lost.length > 0 ? 1 : 0);
