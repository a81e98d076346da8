// Stryker finds all mutants between two places of a file; this plugin has it run those alone that the sample chose.
// It is a checker: a mutant that one refuses is not run.

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { keyOf } from "./sample.mjs";

/** @returns {object} a `Checker` of Stryker */
function chosenOnly() {
  /** @type {Set<string>} */
  let chosen;
  return {
    async init() {
      chosen = new Set(JSON.parse(readFileSync(String(process.env.MUTATE_CHOSEN), "utf8")));
    },
    /** @param {readonly FoundMutant[]} mutants */
    async check(mutants) {
      return Object.fromEntries(
        mutants.map((mutant) => [
          mutant.id,
          chosen.has(keyOf(asReported(mutant)))
            ? { status: "passed" }
            : { status: "compileError", reason: "not in the sample" },
        ]),
      );
    },
    /** @param {readonly { id: string }[]} mutants */
    async group(mutants) {
      return [mutants.map(({ id }) => id)];
    },
  };
}

/**
 * @typedef {import("./sample.mjs").Mutant} Mutant
 * @typedef {Omit<Mutant, "file"> & { id: string, fileName: string }} FoundMutant as plugins are given it
 */

/**
 * The mutant with the file and the places that reports have: lines and columns count from 1 there, from 0 in plugins.
 *
 * @param {FoundMutant} mutant
 * @returns {Mutant}
 */
function asReported({ fileName, location: { start, end }, mutatorName, replacement }) {
  return {
    file: relative(process.cwd(), fileName).replaceAll("\\", "/"),
    location: {
      start: { line: start.line + 1, column: start.column + 1 },
      end: { line: end.line + 1, column: end.column + 1 },
    },
    mutatorName,
    replacement,
  };
}

export const strykerPlugins = [{ kind: "Checker", name: "chosen", factory: chosenOnly }];
