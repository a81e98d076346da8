import { readFileSync } from "node:fs";

/**
 * A shader as pages get it: without comments, indentation and the spaces that no token needs, which are half of its bytes
 * and mean nothing to a compiler. Lines stay where they are, so that a compiler's message names the line of the source.
 *
 * @param {string} source
 */
export const stripShader = (source) =>
  source
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, (comment) => comment.replace(/[^\n]/g, ""))
    .replace(/^[ \t]+|[ \t]+$/gm, "")
    .replace(/(?<=(\S))[ \t]+(?=(\S))/g, (_, before, after) => (areApart(before, after) ? " " : ""));

/** Characters of operators: two operators without a space between could be read as one, as in `a - -b`. */
const OPERATOR = /[-+*/%<>=&|^!~]/;

/**
 * True if a space between two characters separates their tokens.
 *
 * @param {string} before
 * @param {string} after
 */
const areApart = (before, after) =>
  [/\w/, OPERATOR].some((pattern) => pattern.test(before) && pattern.test(after));

/** A plugin of Vite: `import source from "./x.wgsl?raw"` gives what a compiler needs of the file. */
export const strippedShaders = {
  name: "stripped-shaders",
  enforce: /** @type {const} */ ("pre"), // before Vite gives it the file as it is
  /** @param {string} id */
  load(id) {
    const path = /^(.*\.wgsl)\?raw$/.exec(id)?.[1];
    return path && `export default ${JSON.stringify(stripShader(readFileSync(path, "utf8")))};`;
  },
};
