// npm run bench:peers: shadegrad and other engines on the same adapter, in turns.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cold, inTurns } from "./rounds.mjs";
import { sizes } from "./sizes.mjs";
import { summary } from "./table.mjs";
import { flopsOf, WORKLOADS } from "./workloads.mjs";

const OURS = "shadegrad";
const ENGINES = [OURS, "onnxruntime", "tensorflow", "jax"];
const USAGE = `npm run bench:peers -- [options]

  --only TEXT      workloads whose names contain this; may be given again
  --rounds N       turns that each engine takes; 5
  --ours           shadegrad alone
  --engines A,B    of ${ENGINES.join(", ")}
  --json FILE      all times, to be read by programs
  --list           the names of the workloads`;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "5" },
    ours: { type: "boolean", default: false },
    engines: { type: "string" },
    json: { type: "string" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const chosen = values.ours ? [OURS] : (values.engines?.split(",") ?? ENGINES);
const unknown = chosen.filter((name) => !ENGINES.includes(name));
const rounds = Number(values.rounds);
const workloads = WORKLOADS.filter(
  ({ name }) => values.only.length === 0 || values.only.some((part) => name.includes(part)),
);
if (values.help || values.list) {
  console.log(values.help ? USAGE : WORKLOADS.map(({ name }) => name).join("\n"));
  process.exit();
}
const complaint =
  unknown.length > 0
    ? `no engine is called ${unknown}`
    : !(rounds >= 1)
      ? `${values.rounds} rounds are no number of rounds`
      : workloads.length === 0 && `no workload's name contains ${values.only.join(" or ")}`;
if (complaint) {
  console.error(`bench:peers: ${complaint}.\n\n${USAGE}`);
  process.exit(2);
}

const engines = await Promise.all(
  chosen.map(async (name) => {
    const { title, kinds } = await import(`./engines/${name}.mjs`);
    return { name, title, kinds, version: versionOf(name) };
  }),
);
const results = [];
for (const workload of workloads) {
  const names = engines.filter(({ kinds }) => kinds.includes(workload.kind)).map(({ name }) => name);
  if (names.length === 0) continue;
  process.stderr.write(`${workload.name}: first call in ms:`);
  const measure = workload.cold ? cold : inTurns;
  const { times, agreement } = await measure(workload, names, rounds, (text) =>
    process.stderr.write(` ${text}`),
  );
  process.stderr.write(names.length > 1 ? `; results agree to ${agreement.toExponential(1)}\n` : "\n");
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
  date: new Date().toISOString(),
  commit:
    git("rev-parse", "--short", "HEAD") +
    (git("status", "--porcelain", "--untracked-files=no") ? " and changes" : ""),
  adapter: [...adapters][0],
  processor: `${cpus().length} × ${cpus()[0].model}`,
  node: process.version,
  rounds,
  engines,
  results,
  sizes: values.only.length === 0 ? await sizes(engines) : undefined,
};
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, undefined, 1)}\n`);
console.log(summary(report));

/** @param {string} name of an engine */
function versionOf(name) {
  const packages = {
    onnxruntime: "onnxruntime-node",
    tensorflow: "@tensorflow/tfjs-core",
    jax: "@jax-js/jax",
  };
  const folder = name === OURS ? ["..", "..", "packages", "tensor"] : ["node_modules", packages[name]];
  return JSON.parse(readFileSync(join(import.meta.dirname, ...folder, "package.json"), "utf8")).version;
}

/** @param {string[]} args */
function git(...args) {
  try {
    return execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  } catch {
    return ""; // a copy without its history
  }
}
