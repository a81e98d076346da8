import { writeFileSync } from "node:fs";

/**
 * A vitest reporter that writes the counts of a run to the file that SHADEGRAD_TOTALS names. A file that does not load
 * and an error outside every test count as a failure each, which vitest's own counts of tests leave out.
 *
 * @implements {import("vitest/reporters").Reporter}
 */
export default class Totals {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    /** @type {Record<string, Counts>} */
    const projects = {};
    let errors = unhandledErrors.length;
    for (const module of modules) {
      const counts = (projects[module.project.name] ??= { passed: 0, failed: 0, skipped: 0 });
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state === "pending" ? "failed" : state]++;
      }
      // A suite's own error (a hook, a file that does not load) is no test's.
      errors += module.errors().length;
      for (const suite of module.children.allSuites()) errors += suite.errors().length;
    }
    writeFileSync(process.env["SHADEGRAD_TOTALS"] ?? ".cache/totals.json", JSON.stringify({ projects, errors }));
  }
}

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
