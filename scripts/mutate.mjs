// npm run mutate [-- --part typescript|wgsl --limit N --seed S]: how many small faults the tests notice.
import { runOnAdapter } from "./setup/run.mjs";

await runOnAdapter("scripts/mutate/main.mjs", process.argv.slice(2));
