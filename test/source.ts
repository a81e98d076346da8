import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import ts from "typescript";

export const ROOT = resolve(import.meta.dirname, "..");

export interface Source {
  /** From the root, with forward slashes: `packages/tensor/src/core/run.ts`. */
  path: string;
  package: string;
  imports: { specifier: string }[];
  /** Each string written in the file, other than what it imports from. */
  strings: string[];
  /** The last name of each called function: `launch` for `launcher.launch()`. */
  calls: string[];
  /** Each `a.b`, of which `a` is a plain name. */
  accesses: string[];
}

/** Every file below `folder`, from the root, leaving out what is installed or built. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (/^(node_modules|dist|dist-node|\..*)$/.test(entry.name)) return [];
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** Imports, strings, calls and accesses of a module. */
export function readSource(path: string): Source {
  const file = ts.createSourceFile(path, readFileSync(join(ROOT, path), "utf8"), ts.ScriptTarget.Latest);
  const source: Source = {
    path,
    package: path.split("/")[1]!,
    imports: [],
    strings: [],
    calls: [],
    accesses: [],
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
        source.imports.push({ specifier: node.moduleSpecifier.text });
      }
      return;
    }
    if (ts.isImportTypeNode(node)) {
      const { argument } = node;
      if (ts.isLiteralTypeNode(argument) && ts.isStringLiteral(argument.literal)) {
        source.imports.push({ specifier: argument.literal.text });
      }
      return;
    }
    if (ts.isCallExpression(node)) {
      const [argument] = node.arguments;
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword && argument && ts.isStringLiteral(argument)) {
        source.imports.push({ specifier: argument.text });
      } else if (ts.isIdentifier(node.expression)) {
        source.calls.push(node.expression.text);
      } else if (ts.isPropertyAccessExpression(node.expression)) {
        source.calls.push(node.expression.name.text);
      }
    }
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      source.accesses.push(`${node.expression.text}.${node.name.text}`);
    }
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      source.strings.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return source;
}

/** The file that a relative import names, from the root. */
export function target(from: string, specifier: string): string {
  const path = resolve(ROOT, dirname(from), specifier.replace(/\?.*$/, ""));
  return relative(ROOT, path).split(sep).join("/");
}
