// npm run bench:peers: shadegrad and other engines on the same adapter, in turns.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chosenOf, complain, optionsOf } from "../options.mjs";
import { commitOf, provenance } from "../provenance.mjs";
import { cold, inTurns } from "./rounds.mjs";
import { sizes } from "./sizes.mjs";
import { summary } from "./table.mjs";
import { flopsOf, WORKLOADS } from "./workloads.mjs";

const OURS = "shadegrad";
const ENGINES = [OURS, "onnxruntime", "tensorflow", "jax"];
const USAGE = `npm run bench:peers -- [options]

  --filter TEXT    workloads whose names contain this; may be given again
  --rounds N       turns that each engine takes; 5
  --ours           shadegrad alone
  --before FOLDER  another checkout, built: what shadegrad was there, in turns with the others
  --engines A,B    of ${ENGINES.join(", ")}
  --json FILE      all times, to be read by programs
  --list           the names of the workloads`;

const options = optionsOf(USAGE, {
  rounds: { type: "string", default: "5" },
  ours: { type: "boolean", default: false },
  before: { type: "string" },
  engines: { type: "string" },
});
const chosen = options.ours ? [OURS] : (options.engines?.split(",") ?? ENGINES);
const unknown = chosen.filter((name) => !ENGINES.includes(name));
const rounds = Number(options.rounds);
if (unknown.length > 0) complain(USAGE, `no engine is called ${unknown}`);
if (!(rounds >= 1)) complain(USAGE, `${options.rounds} rounds are no number of rounds`);
const workloads = chosenOf(USAGE, WORKLOADS, options);

const about = provenance();
const engines = await Promise.all(
  chosen.map(async (name) => {
    const { title, kinds } = await import(`./engines/${name}.mjs`);
    return { name, title, kinds, version: versionOf(name) };
  }),
);
if (options.before) engines.push(await before(options.before));
const results = [];
for (const workload of workloads) {
  const able = engines.filter(({ kinds }) => kinds.includes(workload.kind));
  if (able.length === 0) continue;
  process.stderr.write(`${workload.name}: first call in ms:`);
  const measure = workload.cold ? cold : inTurns;
  const { times, agreement } = await measure(workload, able, rounds, (text) =>
    process.stderr.write(` ${text}`),
  );
  process.stderr.write(able.length > 1 ? `; results agree to ${agreement.toExponential(1)}\n` : "\n");
  results.push({ workload, flops: flopsOf(workload), agreement, times: Object.fromEntries(times) });
}
const adapters = new Set(
  results.flatMap(({ times }) =>
    Object.values(times)
      .map((t) => t.adapter)
      .filter(Boolean),
  ),
);
if (adapters.size > 1) throw new Error(`the engines found different adapters: ${[...adapters].join("; ")}`);

const report = {
  ...about,
  adapter: [...adapters][0],
  rounds,
  engines: engines.map(({ folder, file, ...engine }) => engine),
  results,
  sizes: options.filter.length === 0 ? await sizes(engines.filter(({ folder }) => !folder)) : undefined,
};
if (options.json) writeFileSync(options.json, `${JSON.stringify(report, undefined, 1)}\n`);
console.log(summary(report));

/**
 * @param {string} checkout with the same workloads
 * @returns {Promise<import("./engine.mjs").Contestant & { title: string, kinds: string[], version: string }>}
 */
async function before(checkout) {
  const folder = resolve(checkout, "bench/peers");
  const { kinds } = await import(pathToFileURL(join(folder, "engines", `${OURS}.mjs`)).href);
  return { name: "before", file: OURS, folder, title: "before", kinds, version: commitOf(checkout) };
}

/** @param {string} name of an engine */
function versionOf(name) {
  if (name === OURS) return about.version;
  const packages = {
    onnxruntime: "onnxruntime-node",
    tensorflow: "@tensorflow/tfjs-core",
    jax: "@jax-js/jax",
  };
  const manifest = join(import.meta.dirname, "node_modules", packages[name], "package.json");
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}
