import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../setup/install.mjs";

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

const FILE = join(ROOT, ".cache", "totals.json");

/**
 * A vitest reporter that leaves the counts of a run in a file. A file that does not load, a hook that throws, an error
 * outside every test and a project without tests count as a failure each; vitest's own counts leave those out.
 *
 * @implements {import("vitest/reporters").Reporter}
 */
export default class Totals {
  /** @param {import("vitest/node").Vitest} vitest */
  onInit(vitest) {
    this.vitest = vitest;
  }

  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const names = this.vitest?.projects.map((project) => project.name) ?? [];
    const projects = Object.fromEntries(names.map((name) => [name, { passed: 0, failed: 0, skipped: 0 }]));
    let errors = unhandledErrors.length;
    for (const module of modules) {
      const counts = (projects[module.project.name] ??= { passed: 0, failed: 0, skipped: 0 });
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state === "pending" ? "failed" : state]++;
      }
      errors += module.errors().length;
      for (const suite of module.children.allSuites()) errors += suite.errors().length;
    }
    const everything = !this.vitest?.filenamePattern?.length && !this.vitest?.config.testNamePattern;
    if (everything)
      errors += Object.values(projects).filter(({ passed, failed }) => passed + failed === 0).length;
    writeFileSync(FILE, JSON.stringify({ projects, errors }));
  }
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
