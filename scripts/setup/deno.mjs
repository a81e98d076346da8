import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./install.mjs";
import { fetchPackage, provide } from "./npm-package.mjs";

const VERSION = "2.9.6";

/** The package with Deno's binary, by platform: its name, and the integrity of its tarball. */
const BINARIES = /** @type {Record<string, readonly [name: string, integrity: string]>} */ ({
  "linux-x64": [
    "linux-x64-glibc",
    "sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==",
  ],
  "linux-arm64": [
    "linux-arm64-glibc",
    "sha512-poqhoH9B3nYloigEMPT5t8HY+wBeiuea1An5Q7fqgJzP0SYmWsoS/oUnWO/pEiA4ofzIBy1Elt/in58xKxtEoQ==",
  ],
  "darwin-x64": [
    "darwin-x64",
    "sha512-tPi3CWPRdjW1MaWlvWjORE7Ass5SADdWdj1BF1Q1PEdzi+5u/mC5YhmZzniMiPr81PpaFeqjXaLAsfb8lFsZ0Q==",
  ],
  "darwin-arm64": [
    "darwin-arm64",
    "sha512-V8uO1Aolrl/yvdMb5lOtgtigs8YuZBjrOrgviVMiYkQ0swymFfzkae1wZak4Xi24t7vf7d/eiMb/7ryjjVm+tg==",
  ],
  "win32-x64": [
    "win32-x64",
    "sha512-qRGnmVz/Ea6UWPht/S3xFRK17UZ/ls38DSVfgGB17fpASLxPkksqzWUI/BzL9YYoOknYzfc94mySGyInZu/JXw==",
  ],
  "win32-arm64": [
    "win32-arm64",
    "sha512-iHSHs89g2Uy6k0bGHmXkgzTIW8WXImYPpvqRRO/zNsK1/N79PcjvAth1TuQatuIALcLdocstPs/PAYtndbfr0A==",
  ],
});

const FOLDER = join(ROOT, ".cache", `deno-${VERSION}`);
const binary = BINARIES[`${process.platform}-${process.arch}`];

/** Deno's program, once it is provided. */
export const DENO = join(FOLDER, process.platform === "win32" ? "deno.exe" : "deno");

/** True if there is a Deno for this platform. */
export const denoSupported = binary !== undefined;

/** @returns {boolean} true if Deno has been fetched */
export const isDenoHere = () => existsSync(DENO);

/** Arguments with which Deno runs a script of this repository on the packages that are installed. */
export const DENO_RUN = ["run", "--allow-all", "--no-config", "--no-lock", "--node-modules-dir=manual"];

/** Environment that keeps Deno to the repository's cache and off the network. */
export const denoEnvironment = { DENO_DIR: join(FOLDER, "cache"), DENO_NO_UPDATE_CHECK: "1" };

/**
 * Fetch Deno, unless it is there.
 *
 * @throws {Error} if npm fails, or there is none for this platform
 */
export function provideDeno() {
  if (!binary) throw new Error(`deno: there is none for ${process.platform} ${process.arch}.`);
  const [name, integrity] = binary;
  provide(FOLDER, (folder) => {
    fetchPackage({ name: `@deno/${name}@${VERSION}`, integrity, megabytes: 42 }, folder);
    if (process.platform !== "win32") chmodSync(join(folder, "deno"), 0o755);
  });
}
