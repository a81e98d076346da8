// Code for Node and pages alike. The command lines beside it are thin.
export { benchmark } from "./kernels/benchmark.mjs";
export { compared } from "./kernels/compare.mjs";
export { reportPage } from "./kernels/page.mjs";
export { groupOf, roofline } from "./kernels/roofline.mjs";
export { rows } from "./kernels/rows/index.mjs";
export { cells, heading, line, summary, TITLES } from "./kernels/table.mjs";
export { modelRows } from "./models/cases.mjs";
export { measureModel } from "./models/measure.mjs";
export { modelHeading, modelLine } from "./models/table.mjs";
