import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./source.ts";

const FOLDER = join(ROOT, "docs", "guides");
const BLOCK = /^( *)```(\w+)\n(.*?)^ *```/gms;

export interface Sample {
  /** Place of the sample: `node.md, sample 2`. */
  readonly name: string;
  readonly code: string;
  /** The block of text that follows it: what it prints. */
  readonly prints: string | undefined;
}

/** Guides with samples in JavaScript, each a list in the order of the page, which is one program. */
export function guides(): { name: string; samples: Sample[] }[] {
  return readdirSync(FOLDER)
    .sort()
    .map((name) => ({ name, samples: samplesOf(name, readFileSync(join(FOLDER, name), "utf8")) }))
    .filter(({ samples }) => samples.length > 0);
}

function samplesOf(name: string, text: string): Sample[] {
  const blocks = [...text.matchAll(BLOCK)].map(([, indent, language, code]) => ({
    language,
    code: code!.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  }));
  return blocks.flatMap(({ language, code }, i) => {
    if (language !== "js") return [];
    const next = blocks[i + 1];
    return [
      {
        name: `${name}, sample ${i + 1}`,
        code,
        prints: next?.language === "text" ? next.code : undefined,
      },
    ];
  });
}

const MARK = "#sample";

/**
 * A program that runs the samples of all guides, each guide as a module of its own, and prints a line before each sample.
 *
 * @returns its path, inside the checkout, where the packages resolve
 */
export function programOf(all: ReturnType<typeof guides>): string {
  const folder = join(ROOT, ".cache", "guides");
  mkdirSync(folder, { recursive: true });
  const modules = all.map(({ name, samples }) => {
    const module = name.replace(".md", ".mjs");
    const body = samples.map(
      ({ name, code }) => `console.log(${JSON.stringify(`${MARK} ${name}`)});\n${code}`,
    );
    writeFileSync(join(folder, module), withoutRepeatedImports(body.join("\n")));
    return module;
  });
  const path = join(folder, "all.mjs");
  writeFileSync(
    path,
    `${modules.map((module) => `await import("./${module}");`).join("\n")}\nprocess.exit();\n`,
  );
  return path;
}

/** A page repeats what it imports, so that each sample can be read alone; a module imports a name once. */
function withoutRepeatedImports(code: string): string {
  const seen = new Set<string>();
  return code.replaceAll(/^import \{(.*?)\} from (".*?");$/gms, (_, names: string, from: string) => {
    const fresh = names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name && !seen.has(name));
    for (const name of fresh) seen.add(name);
    return fresh.length > 0 ? `import { ${fresh.join(", ")} } from ${from};` : "";
  });
}

/** Output of each sample, by its name. */
export function outputsOf(printed: string): Map<string, string> {
  const parts = printed.split(`${MARK} `).slice(1);
  return new Map(
    parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
  );
}
