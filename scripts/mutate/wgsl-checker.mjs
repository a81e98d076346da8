// The process that `wgsl.mjs` starts: gets mutants, one at a time, and answers with a verdict.
import { serveSources } from "../setup/sources.mjs";

/** @type {import("./wgsl.mjs").Mutant | undefined} */
let mutant;
const server = await serveSources([
  {
    name: "mutant",
    enforce: "pre",
    async load(id) {
      const [file = "", query] = id.split("?");
      if (query !== "raw" || !mutant || !file.endsWith(mutant.file)) return;
      const { readFile } = await import("node:fs/promises");
      const source = await readFile(file, "utf8");
      const changed = source.slice(0, mutant.start) + mutant.to + source.slice(mutant.end);
      return `export default ${JSON.stringify(changed)};`;
    },
  },
]);

/** @param {string} name */
const load = (name) => server.ssrLoadModule(`/packages/kernels-wgsl/${name}`);
const { openDevice } = await load("test/device.ts");
const { device, adapter } = await openDevice();
const original = await variants();

process.on("message", async (/** @type {any} */ message) => {
  mutant = message;
  server.moduleGraph.invalidateAll();
  process.send?.(await verdict());
});
process.send?.("ready");

/** Every variant of every kernel, with its cases, by name. */
async function variants() {
  const { checks } = await load("test/kernels.ts");
  const { allVariants } = await load("src/launch/kernel.ts");
  const { rasteriser } = await load("src/rasteriser/index.ts");
  const { matrixUnits } = await load("src/matrixUnits/index.ts");
  const found = new Map();
  for (const { kernel, cases } of checks) {
    for (const variant of allVariants(kernel, rasteriser, matrixUnits)) {
      found.set(`${kernel.name} ${variant.name}`, { kernel, variant, cases, text: JSON.stringify(variant) });
    }
  }
  return { found, rasteriser };
}

async function verdict() {
  const { fits } = await load("src/launch/kernel.ts");
  const { Launcher } = await load("src/launch/launcher.ts");
  const { checkValues, hasHalf, inHalf } = await load("test/value-check.ts");
  const { imitation, matrixAdapters, needsMatrices } = await load("test/imitated.ts");
  const { MATRIX_UNITS } = await load("src/launch/matrices.ts");
  const { found, rasteriser } = await variants();
  const changed = [...found].filter(([name, { text }]) => text !== original.found.get(name)?.text);
  /** @type {Error[]} */
  const failures = [];
  const own = { ...adapter, rasteriser: adapter.rasteriser && rasteriser };
  const launcher = new Launcher(device, own, (/** @type {Error} */ error) => failures.push(error));
  let ran = 0;
  for (const [, { kernel, variant, cases }] of changed) {
    // Where there are no matrix units, matrices are imitated.
    const isImitated = needsMatrices(variant) && !adapter.features.has(MATRIX_UNITS);
    const launched = isImitated ? imitation(kernel) : kernel;
    /** @type {unknown[]} */
    const adapters = isImitated ? matrixAdapters : [own];
    const isHalf = adapter.features.has("shader-f16") && hasHalf(kernel, variant);
    for (const holes of isHalf ? [{}, { Elem: "f16" }] : [{}]) {
      for (const example of cases()) {
        if ("Elem" in holes && example.half === false) continue;
        if (!adapters.some((one) => fits(variant, example.params, one, holes))) continue;
        ran++;
        let error;
        try {
          const form = "Elem" in holes ? inHalf(example) : example;
          await checkValues(device, launcher, launched, variant, form);
        } catch (thrown) {
          error = thrown;
        }
        if (failures.length > 0) return "invalid"; // it does not compile
        if (error) return "killed";
      }
    }
  }
  return ran === 0 ? "unreached" : "survived";
}
