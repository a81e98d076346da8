import { gzipSync } from "node:zlib";

/** Most bytes of JavaScript, after gzip, that a browser fetches before it can classify, the worker's included. */
export const BUDGET = 90_000;

/** The page's own entry stays in its chunk: without it Vite takes that for one of styles alone, and does not write it. */
const ENTRY = /\/demo\/src\/main\.ts$/;

/** Names of the chunks of later views. */
const LATER = /^(view|work)-/;

/**
 * @typedef {object} Chunk
 * @property {string} side "page" or "worker"
 * @property {string} name
 * @property {string} file
 * @property {readonly string[]} imports files of chunks that it imports statically
 * @property {readonly string[]} modules ids of modules of which something is in it
 * @property {boolean} isEntry
 * @property {string} code
 */

/** Collect the chunks that Vite writes: the page's, and its worker's, which are a build of their own. */
export function collectChunks() {
  /** @type {Chunk[]} */
  const found = [];
  /**
   * @param {string} side
   * @returns {import("vite").Plugin}
   */
  const plugin = (side) => ({
    name: `collect-${side}`,
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        const { name, fileName: file, imports, isEntry, code } = chunk;
        const modules = Object.entries(chunk.modules).flatMap(([id, { renderedLength }]) =>
          renderedLength > 0 ? id : [],
        );
        found.push({ side, name, file, imports, modules, isEntry, code });
      }
    },
  });
  return { found, plugin };
}

/**
 * Chunks of the first view: each entry, and what it imports statically.
 *
 * @param {readonly Chunk[]} chunks
 * @returns {Set<Chunk>}
 */
function firstView(chunks) {
  const needed = new Set(chunks.filter(({ isEntry, name }) => isEntry && !LATER.test(name)));
  for (const chunk of needed) {
    for (const file of chunk.imports) {
      const imported = chunks.find((other) => other.side === chunk.side && other.file === file);
      if (imported) needed.add(imported);
    }
  }
  return needed;
}

/**
 * Ids of the modules of the first view, to be put into one chunk.
 *
 * @param {readonly Chunk[]} chunks
 * @returns {readonly string[]}
 */
export const firstViewModules = (chunks) =>
  [...firstView(chunks)].flatMap(({ modules }) => modules).filter((id) => !ENTRY.test(id));

/**
 * Sizes of the scripts of the first view.
 *
 * @param {readonly Chunk[]} chunks
 * @returns {{ total: number, lines: string[] }} bytes after gzip, and lines to print
 */
export function firstViewSize(chunks) {
  const sizes = [...firstView(chunks)].map(({ side, file, code }) => ({
    side,
    file,
    size: gzipSync(code, { level: 9 }).length,
  }));
  const total = sizes.reduce((sum, { size }) => sum + size, 0);
  const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  const lines = [
    ...sizes.map(({ side, file, size }) => `${side} ${file}: ${kilobytes(size)} gzip`),
    `JavaScript until the first classification: ${kilobytes(total)} gzip, of ${kilobytes(BUDGET)}`,
  ];
  return { total, lines };
}
