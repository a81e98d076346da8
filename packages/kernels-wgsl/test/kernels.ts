import type { Case, Check } from "../src/check.ts";
import type { Holes } from "../src/launch/kernel.ts";

const modules = import.meta.glob<{ checks: Check[] }>("../src/*/check.ts", { eager: true });

/** Every kernel that a folder of `src` declares a check for. Its cases are made once, as their references take long. */
export const checks: Check[] = Object.values(modules)
  .flatMap((module) => module.checks)
  .map(({ kernel, cases }) => {
    let made: Case[] | undefined;
    return { kernel, cases: () => (made ??= cases()) };
  });

/** Folders that have shaders, and those that have checks: these must be the same. */
export const shaders: string[] = Object.keys(import.meta.glob("../src/*/*.wgsl", { query: "?raw" }));
export const checked: string[] = Object.keys(modules);

/** Element type of each binding of data as the holes leave it, read off the shader. */
export function elements(source: string, holes: Holes): Map<string, string> {
  const found = new Map<string, string>();
  const resolve = (type: string): string => {
    const element = type
      .replace(/^vec[234]<(\w+)>$/, "$1")
      .replace(/^vec[234]([fuih])$/, (_, t: string) => SUFFIX[t]!);
    const alias = holes[element] ?? new RegExp(`^alias ${element} = ([^;]+);`, "m").exec(source)?.[1];
    return alias === undefined ? element : resolve(String(alias));
  };
  for (const [, name, type] of source.matchAll(/var<storage, \w+> (\w+): array<(\w+(?:<\w+>)?)/g)) {
    found.set(name!, resolve(type!));
  }
  for (const [, name, which] of source.matchAll(/var (\w+): Texels(\d?);/g)) {
    found.set(name!, resolve(which ? `E${which}` : "Elem"));
  }
  return found;
}

const SUFFIX: Record<string, string> = { f: "f32", u: "u32", i: "i32", h: "f16" };
