import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import typescript from "typescript";
import { ROOT } from "../setup/install.mjs";

const DIRECTIVE = /^@source (\S+?)(?:#(\S+))?$/gm;

/**
 * A plugin of markdown-it. A line `@source packages/…/blocks.ts#ResidualBlock` becomes a block of code with that
 * declaration and its comment, as they stand in the sources; without a name, the whole file.
 *
 * @param {{ core: { ruler: { before(rule: string, name: string, change: (state: { src: string }) => void): void } } }} md
 */
export function includeSource(md) {
  md.core.ruler.before("normalize", "source", (state) => {
    state.src = state.src.replace(DIRECTIVE, (_, path, name) => codeBlock(path, name));
  });
}

/**
 * @param {string} path below the repository's root
 * @param {string} [name] of a declaration at the top of the file
 * @throws {Error} if there is no such file or declaration
 */
export function codeBlock(path, name) {
  const text = readFileSync(join(ROOT, path), "utf8");
  const code = name === undefined ? text : declaration(path, text, name);
  const language =
    { ".ts": "ts", ".js": "js", ".mjs": "js", ".wgsl": "wgsl", ".html": "html" }[extname(path)] ?? "text";
  return `\`\`\`${language} [${path}]\n${code.trim()}\n\`\`\``;
}

/**
 * @param {string} path
 * @param {string} text
 * @param {string} name
 */
function declaration(path, text, name) {
  const file = typescript.createSourceFile(path, text, typescript.ScriptTarget.Latest);
  const found = file.statements.find((statement) => namesOf(statement).includes(name));
  if (!found) throw new Error(`docs: ${path} has no declaration ${name}.`);
  return text.slice(found.getFullStart(), found.getEnd());
}

/** @param {import("typescript").Statement} statement @returns {string[]} */
function namesOf(statement) {
  if (typescript.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) =>
      typescript.isIdentifier(name) ? name.text : "",
    );
  }
  const { name } = /** @type {{ name?: import("typescript").Identifier }} */ (
    /** @type {unknown} */ (statement)
  );
  return name ? [name.text] : [];
}
