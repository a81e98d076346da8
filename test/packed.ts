import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./source.ts";

/** Build the packages of this repository, which `installed` packs. */
export const buildPackages = () => npm(ROOT, "run", "build", "--", "packages");

/**
 * A folder outside this repository, in which packages are installed as npm packs them. The caller removes it.
 *
 * @param names Folders of `packages/`; each package's own dependencies among them have to be named as well.
 */
export function installed(...names: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "shadegrad-packaging-"));
  const tarballs = names.map((name) => {
    const packed = npm(
      join(ROOT, "packages", name),
      "pack",
      "--ignore-scripts",
      "--json",
      "--pack-destination",
      folder,
    );
    return `./${JSON.parse(packed)[0].filename}`;
  });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "stranger", private: true, type: "module" }),
  );
  npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs);
  return folder;
}

/** The sample of the README whose first lines hold `text`. */
export function sample(text: string): string {
  const samples = readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/^```(?:js|html)\n(.*?)^```/gms);
  const found = [...samples].find(([, code]) => code!.includes(text));
  if (!found) throw new Error(`README has no sample with ${JSON.stringify(text)}`);
  return found[1]!;
}

export function npm(cwd: string, ...args: string[]): string {
  return run(cwd, "npm", ...args);
}

/** Run a command to its end, and give what it printed. */
export function run(cwd: string, command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: "utf8",
      stdio: "pipe",
      shell: process.platform === "win32",
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  }
}
