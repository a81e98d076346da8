// Builds the page, in a process of its own: what Vite asks the environment is then the page's and not that of tests.
import { buildDemo } from "./build.mjs";

await buildDemo({ fetchMissing: !process.argv.includes("--offline") });
