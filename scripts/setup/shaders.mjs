import { readFileSync } from "node:fs";
import { basename } from "node:path";

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

/** Module of the shaders that are bundled together. */
export const TOGETHER = "\0virtual:shaders";

/**
 * A plugin of Vite: `import source from "./x.wgsl?raw"` gives the stripped shader.
 *
 * @param {readonly string[]} [together] paths of shaders to put into one module. They have much in common, and gzip looks back
 *   32 KB only: adjacent, those of a ResNet-50 take 3 KB less.
 * @returns {import("vite").Plugin}
 */
export const strippedShaders = (together = []) => ({
  name: "stripped-shaders",
  enforce: "pre", // before Vite gives it the file as it is
  resolveId: (id) => (id === TOGETHER ? id : undefined),
  load(id) {
    if (id === TOGETHER)
      return inOrder(together)
        .map((path) => `export const ${nameOf(path)} = ${literal(path)};`)
        .join("\n");
    const path = /^(.*\.wgsl)\?raw$/.exec(id)?.[1];
    if (!path) return undefined;
    if (!together.includes(path)) return `export default ${literal(path)};`;
    return `export { ${nameOf(path)} as default } from ${JSON.stringify(TOGETHER)};`;
  },
});

/** Kinds of shaders of products, by their files' names. */
const KINDS = [/tile(?!d)/i, /tiled/i, /direct/i, /^/];

/** @param {string} path */
const kindOf = (path) => KINDS.findIndex((kind) => kind.test(basename(path)));

/**
 * Paths in the order in which their shaders compress best, as was tried: products, and pooling, whose windows are those of
 * convolutions, first, those of a kind adjacent.
 *
 * @param {readonly string[]} paths
 */
const inOrder = (paths) => {
  const isProduct = (/** @type {string} */ path) => /[\\/](conv2d|matmul|pool|splitK)[\\/]/.test(path);
  const sorted = [...paths].sort();
  const products = sorted.filter(isProduct).sort((a, b) => kindOf(a) - kindOf(b));
  return [...products, ...sorted.filter((path) => !isProduct(path))];
};

/** @param {string} path */
const literal = (path) => JSON.stringify(stripShader(readFileSync(path, "utf8")));

/** `…/conv2d/tile.wgsl` as `conv2d_tile`. @param {string} path */
const nameOf = (path) => path.split(/[\\/]/).slice(-2).join("_").replace(".wgsl", "");
