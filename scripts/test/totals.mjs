import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../setup/install.mjs";

/** @typedef {import("vitest/reporters").Reporter} Reporter */
/** @typedef {import("vitest/node").TestModule} TestModule */
/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

const FILE = join(ROOT, ".cache", "totals.json");

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
    writeFileSync(FILE, JSON.stringify({ projects, errors }));
  }
}

/**
 * Count one failure more if the runner failed for a reason that is none of its tests'.
 *
 * @param {number | null} status what it exited with
 */
export function recordExit(status) {
  if (status === 0 || readTotals().failed > 0) return;
  const { projects, errors } = JSON.parse(readFileSync(FILE, "utf8"));
  writeFileSync(FILE, JSON.stringify({ projects, errors: errors + 1 }));
}

/** Forget the last run, so that one that dies early is not taken for it. */
export function forgetTotals() {
  rmSync(FILE, { force: true });
}

/**
 * The counts by project, and on the last line over all.
 *
 * @returns {{ lines: string[], failed: number }}
 */
export function readTotals() {
  /** @type {{ projects: Record<string, Counts>, errors: number }} */
  const { projects, errors } = existsSync(FILE)
    ? JSON.parse(readFileSync(FILE, "utf8"))
    : { projects: {}, errors: 1 }; // the runner did not get to its end
  const rows = Object.entries(projects);
  const passed = rows.reduce((sum, [, counts]) => sum + counts.passed, 0);
  const failed = rows.reduce((sum, [, counts]) => sum + counts.failed, errors);
  return {
    failed,
    lines: [
      ...rows.map(
        ([name, { passed, failed, skipped }]) =>
          `${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`,
      ),
      ...(errors ? [`outside of tests: ${errors} failed`] : []),
      `${passed} passed, ${failed} failed`,
    ],
  };
}

// By itself, this prints the last run's totals once more.
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) console.log(readTotals().lines.at(-1));
