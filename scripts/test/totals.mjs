import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../setup/install.mjs";

/** @typedef {import("vitest/reporters").Reporter} Reporter */
/** @typedef {import("vitest/node").TestModule} TestModule */
/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * The result of one run of vitest: counts by project, and failures outside of tests.
 *
 * @typedef {{ projects: Record<string, Counts>, errors: number }} Run
 */

const FOLDER = join(ROOT, ".cache", "totals");

/** The name of this process's run: `SHADEGRAD_RUN`, or `whole`. */
const name = () => process.env.SHADEGRAD_RUN ?? "whole";

/** @param {string} run */
const fileOf = (run) => join(FOLDER, `${run}.json`);

/** @param {Run} run */
function write(run) {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fileOf(name()), JSON.stringify(run));
}

/**
 * @param {string} run
 * @returns {Run | undefined} undefined if it did not get to its end
 */
function read(run) {
  return existsSync(fileOf(run)) ? JSON.parse(readFileSync(fileOf(run), "utf8")) : undefined;
}

/**
 * A vitest reporter that leaves the counts of a run in a file. A file that does not load, a hook that throws and an
 * error outside every test count as a failure each, which vitest's own counts leave out; so does a project that
 * `SHADEGRAD_MUST_RUN` names and that ran no test.
 *
 * @implements {Reporter}
 */
export default class Totals {
  /**
   * @param {readonly TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    /** @type {Record<string, Counts>} */
    const projects = {};
    let errors = unhandledErrors.length;
    for (const module of modules) {
      projects[module.project.name] ??= { passed: 0, failed: 0, skipped: 0 };
      const counts = /** @type {Counts} */ (projects[module.project.name]);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state === "pending" ? "failed" : state]++;
      }
      errors += module.errors().length;
      for (const suite of module.children.allSuites()) errors += suite.errors().length;
    }
    const mustRun = (process.env.SHADEGRAD_MUST_RUN ?? "").split(",").filter(Boolean);
    errors += mustRun.filter((name) => !projects[name]?.passed && !projects[name]?.failed).length;
    write({ projects, errors });
  }
}

/**
 * Count one failure more if the runner failed for a reason that is none of its tests'.
 *
 * @param {number | null} status what it exited with
 */
export function recordExit(status) {
  if (status === 0 || readTotals().failed > 0) return;
  const { projects, errors } = /** @type {Run} */ (read(name()));
  write({ projects, errors: errors + 1 });
}

/** Record that this run has no tests on this machine. */
export function recordNothing() {
  write({ projects: {}, errors: 0 });
}

/** Delete the totals of the last run, so that a run that dies early does not leave them. */
export function forgetTotals() {
  rmSync(fileOf(name()), { force: true });
}

/**
 * The totals of runs; this process's own by default.
 *
 * @param {readonly string[]} [runs]
 */
export function readTotals(runs = [name()]) {
  return totalsOf(runs.map((run) => [run, read(run)]));
}

/**
 * The counts by run and project, and on the last line over all. A run that did not get to its end is a failure.
 *
 * @param {readonly (readonly [name: string, run: Run | undefined])[]} runs
 * @returns {{ lines: string[], failed: number }}
 */
export function totalsOf(runs) {
  const lines = [];
  let passed = 0;
  let failed = 0;
  for (const [name, run] of runs) {
    const label = (/** @type {string} */ part) => (runs.length > 1 ? `${name} run, ${part}` : part);
    const { projects, errors } = run ?? { projects: {}, errors: 1 };
    for (const [project, counts] of Object.entries(projects)) {
      passed += counts.passed;
      failed += counts.failed;
      const { skipped } = counts;
      lines.push(`${label(project)}: ${counts.passed} passed, ${counts.failed} failed, ${skipped} skipped`);
    }
    failed += errors;
    if (errors) lines.push(`${label("outside of tests")}: ${errors} failed`);
  }
  return { failed, lines: [...lines, `${passed} passed, ${failed} failed`] };
}

// Run as a program: the totals of the runs that the command line names.
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  console.log(readTotals(process.argv.slice(2)).lines.join("\n"));
