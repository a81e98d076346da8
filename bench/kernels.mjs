// npm run bench [-- --filter TEXT]: how fast each kernel is here, against what the adapter can do.
import { parseArgs } from "node:util";
import { init } from "@shadegrad/tensor";
import { measure } from "./measure.mjs";
import { peaks } from "./peak.mjs";
import { convolutions } from "./rows/conv2d.mjs";
import { products } from "./rows/matmul.mjs";
import { heading, line } from "./table.mjs";

const { values } = parseArgs({ options: { filter: { type: "string", default: "" } } });

const device = await init({ quiet: true });
const peak = await peaks(device);
console.log(
  `${device.name}: ${peak.gflops.toFixed(1)} GFLOP/s of multiply-adds, ${peak.gbytes.toFixed(1)} GB/s of copying`,
);

console.log(heading());
for (const row of [...convolutions(), ...products()]) {
  if (!row.name.includes(values.filter)) continue;
  const prepared = row.prepare(device);
  const measured = await measure(device, prepared.run);
  console.log(line(row, measured, peak));
  prepared.dispose();
}
device.destroy();
process.exit(); // Dawn keeps the process alive
