import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { filesBelow, ROOT } from "./source.ts";

/** Functions that follow the machine's language unless they are given one, and at which argument that is. */
const LANGUAGE_AT: Readonly<Record<string, number>> = {
  localeCompare: 1,
  toLocaleDateString: 0,
  toLocaleLowerCase: 0,
  toLocaleString: 0,
  toLocaleTimeString: 0,
  toLocaleUpperCase: 0,
};

/** The calls in a source that follow the machine's language. */
function localeDependent(path: string, text: string): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isCall = ts.isCallExpression(node) || ts.isNewExpression(node);
    if (isCall && ts.isPropertyAccessExpression(node.expression)) {
      const { expression, name } = node.expression;
      const isIntl = ts.isIdentifier(expression) && expression.text === "Intl" && /^[A-Z]/.test(name.text);
      const at = isIntl ? 0 : LANGUAGE_AT[name.text];
      if (at !== undefined && (node.arguments?.length ?? 0) <= at) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
        found.push(`${path}:${line + 1}: ${name.text}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test("no source follows the machine's language", () => {
  const paths = ["packages", "bench", "scripts", "examples", "test"]
    .flatMap(filesBelow)
    .filter((path) => /\.(ts|mjs)$/.test(path));
  const found = paths.flatMap((path) => localeDependent(path, readFileSync(join(ROOT, path), "utf8")));
  expect(found).toEqual([]);
});

test("a call that follows it is found", () => {
  const calls = [
    "(1234).toLocaleString()",
    'a.toLocaleString("en")',
    "a.localeCompare(b)",
    'a.localeCompare(b, "en")',
    "new Intl.NumberFormat()",
    'new Intl.NumberFormat("en")',
    "Intl.getCanonicalLocales()",
  ];
  expect(localeDependent("x.ts", calls.join(";\n"))).toEqual([
    "x.ts:1: toLocaleString",
    "x.ts:3: localeCompare",
    "x.ts:5: NumberFormat",
  ]);
});
