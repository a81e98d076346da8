// Changes shaders in memory, one small change at a time, and runs the checks of the variants that have them: values,
// then races.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../setup/install.mjs";
import { sample } from "./sample.mjs";
import { mutationsOf } from "./wgsl-mutations.mjs";

const CHECKER = fileURLToPath(new URL("wgsl-checker.mjs", import.meta.url));
/** A shader that takes longer walks a loop without end. */
const SILENCE = 120_000;

/**
 * @typedef {{ file: string, line: number, start: number, end: number, from: string, to: string }} Mutant
 * @typedef {"killed" | "timeout" | "interpreted" | "survived" | "invalid" | "unreached"} Verdict
 */

/**
 * @param {{ limit: number, seed: number, only: string, onResult(mutant: Mutant, verdict: Verdict): void }} options
 * @returns {Promise<Map<Mutant, Verdict>>}
 */
export async function mutateShaders({ limit, seed, only, onResult }) {
  const mutants = sample(
    allMutants().filter(({ file }) => file.includes(only)),
    limit,
    seed,
  );
  const verdicts = new Map();
  let child;
  for (const mutant of mutants) {
    child ??= await startChecker();
    let verdict = await verdictOf(child, mutant, "values");
    let isLate = verdict === "timeout";
    if (verdict === "survived") {
      const other = await verdictOf(child, mutant, "races");
      if (other === "interpreted") verdict = other;
      isLate = other === "timeout"; // the interpreter is slow, which says nothing about the mutant
    }
    if (isLate) {
      child.kill("SIGKILL");
      child = undefined;
    }
    verdicts.set(mutant, verdict);
    onResult(mutant, verdict);
  }
  child?.kill();
  return verdicts;
}

/** @returns {Mutant[]} */
function allMutants() {
  const folder = "packages/kernels-wgsl/src";
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".wgsl"),
  );
  return files.sort().flatMap((name) => {
    const file = `${folder}/${name.replaceAll("\\", "/")}`;
    const source = readFileSync(join(ROOT, file), "utf8");
    return mutationsOf(source).map((mutation) => ({
      file,
      from: source.slice(mutation.start, mutation.end),
      ...mutation,
    }));
  });
}

async function startChecker() {
  const child = fork(CHECKER, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  await once(child, "message"); // ready
  return child;
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {Mutant} mutant
 * @param {"values" | "races"} by
 * @returns {Promise<Verdict>}
 */
async function verdictOf(child, mutant, by) {
  child.send({ mutant, by });
  const stop = new AbortController();
  const { signal } = stop;
  const late = new Promise((resolve) => {
    const timer = setTimeout(resolve, SILENCE, "timeout");
    signal.addEventListener("abort", () => clearTimeout(timer));
  });
  try {
    return await Promise.race([
      late,
      once(child, "message", { signal }).then(([verdict]) => verdict),
      // A driver that a shader brings down is noticed as well.
      once(child, "exit", { signal }).then(() => "timeout"),
    ]);
  } finally {
    stop.abort();
  }
}

/**
 * Print a line for each mutant that no check noticed, and the score.
 *
 * @param {import("./sample.mjs").Wanted} wanted
 */
export async function reportShaders({ limit, seed, only }) {
  const counts = { killed: 0, timeout: 0, interpreted: 0, survived: 0, invalid: 0, unreached: 0 };
  await mutateShaders({
    limit,
    seed,
    only,
    onResult({ file, line, from, to }, verdict) {
      counts[verdict]++;
      if (verdict === "survived" || verdict === "unreached")
        console.log(`${verdict}: ${file}:${line} ${from} → ${to}`);
    },
  });
  const noticed = counts.killed + counts.timeout + counts.interpreted;
  const counted = noticed + counts.survived;
  console.log(
    `shaders: ${noticed} of ${counted} mutants noticed (${((100 * noticed) / counted).toFixed(1)} %), ` +
      `${counts.timeout} of them by time, ${counts.interpreted} by the race finder; ${counts.invalid} do not compile, ` +
      `${counts.unreached} stand in variants that this adapter does not run.`,
  );
}
