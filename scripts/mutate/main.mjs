import { parseArgs } from "node:util";
import { mutateTypeScript } from "./typescript.mjs";
import { reportShaders } from "./wgsl.mjs";

/** @type {Record<string, { run(options: import("./sample.mjs").Wanted): Promise<void>, limit: number }>} */
const PARTS = {
  typescript: { run: mutateTypeScript, limit: 300 },
  wgsl: { run: reportShaders, limit: 150 },
};

const { values } = parseArgs({
  options: {
    part: { type: "string" },
    limit: { type: "string" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});
const names = values.part === undefined ? Object.keys(PARTS) : [values.part];
for (const name of names) {
  const part = PARTS[name];
  if (!part)
    throw new Error(`mutate: there is no part ${name}; there are ${Object.keys(PARTS).join(" and ")}.`);
  await part.run({
    limit: wholeNumber("limit", values.limit ?? part.limit),
    seed: wholeNumber("seed", values.seed),
    only: values.only,
  });
}

/**
 * @param {string} option
 * @param {string | number} value
 */
function wholeNumber(option, value) {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`mutate: --${option} is ${value}, expected a whole number above 0.`);
}
