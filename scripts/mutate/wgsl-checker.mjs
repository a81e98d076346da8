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
// Loaded once: it changes the interpreter's own classes, which stay.
const { searchRaces, toInterpret, tooLong } = await load("test/race-search.ts");

process.on(
  "message",
  async (/** @type {{ mutant: import("./wgsl.mjs").Mutant, by: "values" | "races" }} */ message) => {
    ({ mutant } = message);
    server.moduleGraph.invalidateAll();
    const { found, rasteriser } = await variants();
    const changed = [...found].filter(([name, { text }]) => text !== original.found.get(name)?.text);
    const examined = changed.map(([, variant]) => variant);
    process.send?.(message.by === "values" ? await byValues(examined, rasteriser) : await byRaces(examined));
  },
);
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

/**
 * Run the changed variants on each case, and on another grid.
 *
 * @param {any[]} changed
 * @param {unknown} rasteriser
 */
async function byValues(changed, rasteriser) {
  const { fits } = await load("src/launch/kernel.ts");
  const { Launcher } = await load("src/launch/launcher.ts");
  const { checkValues, hasHalf, inHalf } = await load("test/value-check.ts");
  const { onAnotherGrid } = await load("test/grids.ts");
  const { imitatedShader, imitation, matrixAdapters, needsMatrices } = await load("test/imitated.ts");
  const { MATRIX_UNITS } = await load("src/launch/matrices.ts");
  /** @type {Error[]} */
  const failures = [];
  const own = { ...adapter, rasteriser: adapter.rasteriser && rasteriser };
  const launcher = new Launcher(device, own, (/** @type {Error} */ error) => failures.push(error));
  let ran = 0;
  /** @param {unknown[]} launch a kernel, its variant and a case */
  const verdictOn = async (...launch) => {
    ran++;
    let error;
    try {
      await checkValues(device, launcher, ...launch);
    } catch (thrown) {
      error = thrown;
    }
    if (failures.length > 0) return "invalid"; // it does not compile
    return error ? "killed" : undefined;
  };
  for (const { kernel, variant, cases } of changed) {
    // Matrices are imitated where there are no matrix units.
    const isImitated = needsMatrices(variant) && !adapter.features.has(MATRIX_UNITS);
    const launched = isImitated ? imitation(kernel) : kernel;
    /** @type {unknown[]} */
    const adapters = isImitated ? matrixAdapters : [own];
    /** @param {object} holes */
    const runnable = (holes) =>
      cases().filter((/** @type {any} */ { params }) =>
        adapters.some((one) => fits(variant, params, one, holes)),
      );
    const isHalf = adapter.features.has("shader-f16") && hasHalf(kernel, variant);
    const halves = isHalf
      ? runnable({ Elem: "f16" }).filter((/** @type {any} */ { half }) => half !== false)
      : [];
    const forms = [...runnable({}), ...halves.map(inHalf)];
    for (const example of forms) {
      const verdict = await verdictOn(launched, variant, example);
      if (verdict) return verdict;
    }
    const other = onAnotherGrid(variant, runnable({}).length > 0 ? runnable({}) : forms);
    if (typeof other === "string") continue;
    const plain = isImitated ? imitatedShader(other.variant) : other.variant;
    const verdict = await verdictOn({ ...kernel, variants: { plain } }, plain, other.example);
    if (verdict) return verdict;
  }
  return ran === 0 ? "unreached" : "survived";
}

/**
 * Interpret the changed variants: a race, or an access beyond an array, may change no value here.
 *
 * @param {any[]} changed
 */
async function byRaces(changed) {
  for (const { kernel, variant, cases } of changed) {
    if ("stages" in variant) continue;
    const example = toInterpret(variant, cases());
    if (tooLong(variant, example)) continue;
    try {
      const { race, errors } = searchRaces(kernel, variant, example);
      if (race || errors.length > 0) return "interpreted";
    } catch {
      return "interpreted"; // an access beyond an array, or a form that it cannot interpret: the test fails too
    }
  }
  return "survived";
}
