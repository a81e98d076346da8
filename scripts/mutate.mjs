// npm run mutate [-- --part typescript|wgsl --limit N --seed S]: share of small faults that the tests notice.
import { runOnAdapter } from "./setup/run.mjs";

await runOnAdapter("scripts/mutate/main.mjs", process.argv.slice(2));
