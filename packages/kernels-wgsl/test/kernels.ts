import type { Check } from "../src/check.ts";
import type { Holes } from "../src/kernel.ts";

const modules = import.meta.glob<{ checks: Check[] }>("../src/*/check.ts", { eager: true });

/** Every kernel that a folder of `src` declares a check for. */
export const checks: Check[] = Object.values(modules).flatMap((module) => module.checks);

/** Folders that have shaders, and those that have checks: these must be the same. */
export const shaders: string[] = Object.keys(import.meta.glob("../src/*/*.wgsl", { query: "?raw" }));
export const checked: string[] = Object.keys(modules);

/** Element type of each storage binding as the holes leave it, read off the shader. */
export function elements(source: string, holes: Holes): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name, type] of source.matchAll(/var<storage, \w+> (\w+): array<(?:vec[234]<)?(\w+)/g)) {
    const alias = new RegExp(`^alias ${type} = (?:vec[234]<)?([\\w]+)`, "m").exec(source)?.[1];
    const resolved = String(holes[type!] ?? alias ?? type);
    const twice = new RegExp(`^alias ${resolved} = (?:vec[234]<)?(\\w+)`, "m").exec(source)?.[1];
    found.set(name!, String(holes[resolved] ?? twice ?? resolved));
  }
  return found;
}
