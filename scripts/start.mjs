// npm start [-- arguments of the example]
import { runOnAdapter } from "./setup/run.mjs";

await runOnAdapter("examples/quickstart.mjs", process.argv.slice(2));
