// npm run lint
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { install, ROOT, runSync } from "./setup/install.mjs";

install();
const packages = readdirSync(join(ROOT, "packages")).map((name) => join("packages", name));
const projects = [".", "bench", ...packages, ...packages.map((path) => join(path, "test"))].filter((path) =>
  existsSync(join(ROOT, path, "tsconfig.json")),
);
const commands = [
  [join("node_modules", "@biomejs", "biome", "bin", "biome"), "check", "."],
  ...projects.map((path) => [join("node_modules", "typescript", "bin", "tsc"), "-p", path]),
];
let failed = 0;
for (const command of commands) {
  console.log(`lint: ${command.slice(1).join(" ")}`);
  failed += runSync(process.execPath, command).status === 0 ? 0 : 1;
}
process.exit(failed ? 1 : 0);
