import { appendFileSync, readFileSync } from "node:fs";
import typescript from "typescript";

/** @typedef {{ name: string, op: string }} Method a name, and the exported function that it calls */

/**
 * Methods that a module adds to the class of another: members `name: Method<typeof op>` of an interface in `declare module`.
 *
 * @param {string} source path of the module
 * @returns {Method[]}
 */
export function methodsOf(source) {
  const { SyntaxKind, ScriptTarget } = typescript;
  const file = typescript.createSourceFile(source, readFileSync(source, "utf8"), ScriptTarget.Latest, true);
  const exported = new Map(); // of names that were given here
  /** @type {Method[]} */
  const methods = [];
  const visit = (/** @type {typescript.Node} */ node) => {
    if (typescript.isImportSpecifier(node) && node.propertyName)
      exported.set(node.name.text, node.propertyName.text);
    if (typescript.isPropertySignature(node) && node.parent.parent.kind === SyntaxKind.ModuleBlock) {
      const [, local = ""] = /^Method<typeof (\w+)>$/.exec(node.type?.getText() ?? "") ?? [];
      if (local) methods.push({ name: node.name.getText(), op: exported.get(local) ?? local });
    }
    node.forEachChild(visit);
  };
  visit(file);
  return methods;
}

/**
 * Add a table of a module's methods to its page, each with its op.
 *
 * @param {string} page path of the Markdown file
 * @param {readonly Method[]} methods
 * @param {string} ops address of the page with the ops
 */
export function appendMethods(page, methods, ops) {
  const rows = methods.map(({ name, op }) => `| \`x.${name}(…)\` | [${op}](${ops}#${op.toLowerCase()}) |`);
  appendFileSync(page, ["", "## Methods", "", "| Method | Op |", "| --- | --- |", ...rows, ""].join("\n"));
}
