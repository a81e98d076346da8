import { existsSync } from "node:fs";
import { join } from "node:path";
import { cachedPackage, type NpmPackage } from "../src/data/index.ts";

/** True if a test may use a big package: it is in the cache, or this is CI, where a fetch disturbs nobody. */
export const mayUse = async (wanted: NpmPackage): Promise<boolean> =>
  Boolean(process.env.CI || (await cachedPackage(wanted)));

/** The reason for a skip, as a suffix of a test's name. */
export const needing = (can: boolean, what: string): string => (can ? "" : ` (needs ${what})`);

/** Path of a file of reference data, which may be absent: no test depends on them. */
export const reference = (name: string): string =>
  join(process.env.SHADEGRAD_REFERENCE_DATA ?? join(import.meta.dirname, "../../../../shared/data"), name);

export const isThere = (...names: readonly string[]): boolean =>
  names.every((name) => existsSync(reference(name)));

export const photograph = (name: string): string =>
  join(import.meta.dirname, "../../../examples/photographs", name);
