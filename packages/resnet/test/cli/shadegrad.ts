import { existsSync } from "node:fs";
import { join } from "node:path";
import { main } from "../../src/cli/main.ts";
import { cachedPackage, type NpmPackage } from "../../src/data/index.ts";

export interface Said {
  status: number;
  out: string;
  err: string;
}

/** Run the program in this process, as in a terminal of 80 columns. */
export async function shadegrad(...args: readonly string[]): Promise<Said> {
  const said = { out: "", err: "" };
  const status = await main(args, {
    print: (text) => void (said.out += `${text}\n`),
    note: (text) => void (said.err += `${text}\n`),
    columns: 80,
    watched: false,
    signal: new AbortController().signal,
  });
  return { status, ...said };
}

/** Whether a big package may be used: it is here, or this is CI, where fetching it disturbs nobody. */
export const mayUse = async (wanted: NpmPackage): Promise<boolean> =>
  Boolean(process.env.CI || (await cachedPackage(wanted)));

/** What a test's name says of why it was skipped. */
export const needing = (can: boolean, what: string): string => (can ? "" : ` (needs ${what})`);

/** Reference data, which no test needs: the path of a file of them, whether it is there or not. */
export const reference = (name: string): string =>
  join(process.env.SHADEGRAD_REFERENCE_DATA ?? join(import.meta.dirname, "../../../../../shared/data"), name);

export const isThere = (...names: readonly string[]): boolean =>
  names.every((name) => existsSync(reference(name)));

export const photograph = (name: string): string =>
  join(import.meta.dirname, "../../../../examples/photographs", name);
