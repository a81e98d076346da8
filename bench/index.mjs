// What runs in Node and in a page alike. The command lines beside it are thin.
export { benchmark } from "./benchmark.mjs";
export { compared } from "./compare.mjs";
export { reportPage } from "./page.mjs";
export { rows } from "./rows/index.mjs";
export { cells, heading, line, summary, TITLES } from "./table.mjs";
