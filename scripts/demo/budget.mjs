import { gzipSync } from "node:zlib";

/** Kilobytes, gzipped, that a visitor's browser fetches of JavaScript before it can classify, engine included. */
const MOST = 90;

/** Views that have scripts of their own, which the first view does not fetch. */
const LATER = /^(view|work)-/;

/** @typedef {{ side: string, name: string, file: string, imports: readonly string[], isEntry: boolean, code: string }} Chunk */

/** Collects the chunks that Vite writes, of the page and of its worker, which it builds one after the other. */
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
        found.push({ side, name, file, imports, isEntry, code });
      }
    },
  });
  return { found, plugin };
}

/**
 * Sizes of what the first view needs: each entry, and what it imports at once.
 *
 * @param {readonly Chunk[]} chunks
 * @returns {string[]} lines to print
 * @throws {Error} if it is more than the page allows itself
 */
export function checkBudget(chunks) {
  const needed = new Set(chunks.filter(({ isEntry, name }) => isEntry && !LATER.test(name)));
  for (const chunk of needed) {
    for (const file of chunk.imports) {
      const imported = chunks.find((other) => other.side === chunk.side && other.file === file);
      if (imported) needed.add(imported);
    }
  }
  const sizes = [...needed].map(({ side, file, code }) => ({
    side,
    file,
    size: gzipSync(code, { level: 9 }).length,
  }));
  const total = sizes.reduce((sum, { size }) => sum + size, 0);
  const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  const lines = [
    ...sizes.map(({ side, file, size }) => `${side} ${file}: ${kilobytes(size)} gzip`),
    `JavaScript until the first classification: ${kilobytes(total)} gzip, of ${MOST} kB`,
  ];
  if (total > MOST * 1000) throw new Error([...lines, "That is too much."].join("\n"));
  return lines;
}
