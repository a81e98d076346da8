// npm start [-- arguments of the example]
import { runOnAdapter } from "./setup/run.mjs";

await runOnAdapter("examples/spirals.mjs", process.argv.slice(2));
