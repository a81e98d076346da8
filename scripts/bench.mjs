// npm run bench [-- arguments of bench/kernels.mjs]
import { runOnAdapter } from "./setup/run.mjs";

await runOnAdapter("bench/kernels.mjs", process.argv.slice(2));
