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
  const found = new Map();
  for (const { kernel, cases } of checks) {
    for (const variant of allVariants(kernel, rasteriser)) {
      found.set(`${kernel.name} ${variant.name}`, { kernel, variant, cases, text: JSON.stringify(variant) });
    }
  }
  return { found, rasteriser };
}

async function verdict() {
  const { fits } = await load("src/launch/kernel.ts");
  const { Launcher } = await load("src/launch/launcher.ts");
  const { checkValues, hasHalf, inHalf } = await load("test/value-check.ts");
  const { found, rasteriser } = await variants();
  const changed = [...found].filter(([name, { text }]) => text !== original.found.get(name)?.text);
  /** @type {Error[]} */
  const failures = [];
  const own = { ...adapter, rasteriser: adapter.rasteriser && rasteriser };
  const launcher = new Launcher(device, own, (/** @type {Error} */ error) => failures.push(error));
  let ran = 0;
  for (const [, { kernel, variant, cases }] of changed) {
    for (const example of cases().filter((/** @type {{ params: unknown }} */ { params }) =>
      fits(variant, params, own),
    )) {
      const forms = [example];
      if (example.half !== false && adapter.features.has("shader-f16") && hasHalf(kernel, variant))
        forms.push(inHalf(example));
      for (const form of forms) {
        ran++;
        let error;
        try {
          await checkValues(device, launcher, kernel, variant, form);
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
