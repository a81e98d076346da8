import { relative, sep } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { ROOT } from "../setup/install.mjs";

/** Bytes, after gzip, that `resnet50` with all that inference and training need may have. */
export const BUDGET = 72_000;

/** The same for inference alone. */
export const PREDICT_BUDGET = 60_000;

/** Chunks that a page downloads only to print a tensor, and only where a browser offers matrix units, an experimental feature. */
export const ON_DEMAND = /\/(print|matrixUnits)-/;

/** The chunks of a GPU's page, and the one that a page downloads only on a software adapter. */
export const NOT_ON_A_GPU = /\/(print|matrixUnits|rasteriser)-/;

/**
 * @typedef {object} BundleSize
 * @property {number} bytes minified
 * @property {number} gzip
 * @property {{ name: string, bytes: number }[]} modules before they are minified, the largest first
 * @property {string} code of all chunks
 */

/**
 * Size of a page that imports everything that an entry exports, bundled by Vite with its defaults.
 *
 * @param {string} entry
 * @param {{ without?: RegExp }} [options] chunks, by name, that are there but are never asked for
 * @returns {Promise<BundleSize>}
 */
export async function bundleSize(entry, { without = /^$/ } = {}) {
  const result = await build({
    configFile: false,
    root: ROOT,
    logLevel: "error",
    build: {
      write: false,
      target: "es2022",
      rolldownOptions: { input: entry, preserveEntrySignatures: "strict", output: { format: "es" } },
    },
  });
  const { output } = /** @type {import("vite").Rolldown.RolldownOutput} */ (result);
  const chunks = downloaded(
    output.filter((file) => file.type === "chunk"),
    without,
  );
  const modules = chunks
    .flatMap(({ modules }) => Object.entries(modules))
    .map(([path, { renderedLength }]) => ({ name: shortName(path), bytes: renderedLength }))
    .sort((a, b) => b.bytes - a.bytes);
  return {
    bytes: sum(chunks.map(({ code }) => Buffer.byteLength(code))),
    gzip: sum(chunks.map(({ code }) => gzipSync(code, { level: 9 }).length)),
    modules,
    code: chunks.map(({ code }) => code).join("\n"),
  };
}

/**
 * The entry's chunk, and those that it imports, or would on demand.
 *
 * @param {readonly import("vite").Rolldown.OutputChunk[]} chunks
 * @param {RegExp} without chunks, by name, that are never asked for
 */
function downloaded(chunks, without) {
  const found = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const { imports, dynamicImports } of found) {
    const wanted = [...imports, ...dynamicImports.filter((file) => !without.test(file))];
    for (const chunk of chunks) if (wanted.includes(chunk.fileName)) found.add(chunk);
  }
  return [...found];
}

/** @param {number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** @param {string} path */
const shortName = (path) =>
  relative(ROOT, path.replace("\0", ""))
    .split(sep)
    .join("/")
    .replace(/^packages\/(.*)\/dist\//, "$1: ");
