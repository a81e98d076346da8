import { batchNorms } from "./batchNorm.mjs";
import { convolutions } from "./conv2d.mjs";
import { elementwise } from "./elementwise.mjs";
import { products } from "./matmul.mjs";
import { optimizers } from "./optim.mjs";
import { pools } from "./pool.mjs";

/** All rows. @returns {import("../row.mjs").Row[]} */
export const rows = () => [
  ...convolutions(),
  ...products(),
  ...batchNorms(),
  ...elementwise(),
  ...pools(),
  ...optimizers(),
];
