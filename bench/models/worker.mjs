// One row in a process of its own: node worker.mjs ROW. The parent receives the result or the error.
import { init } from "@shadegrad/tensor";
import { modelRows } from "./cases.mjs";
import { measureModel } from "./measure.mjs";

try {
  const device = await init({ quiet: true });
  const row = modelRows(device.adapter.software).find(({ name }) => name === process.argv[2]);
  if (!row) throw new Error(`bench:models: there is no row named ${process.argv[2]}.`);
  process.send?.({ result: await measureModel(device, row) }, () => process.exit());
} catch (error) {
  process.send?.({ error: /** @type {Error} */ (error).stack }, () => process.exit(1));
}
