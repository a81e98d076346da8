import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";

const HERE = import.meta.dirname;

/**
 * TensorFlow.js as one module that Node runs, made unless it is there: its ES modules leave the endings of files out, and
 * its CommonJS has no gradients.
 *
 * @returns {Promise<string>} its path
 */
export async function tensorflowModule() {
  const manifest = join(HERE, "node_modules", "@tensorflow", "tfjs-core", "package.json");
  const name = `tensorflow-${JSON.parse(readFileSync(manifest, "utf8")).version}.mjs`;
  const folder = join(HERE, "..", "..", ".cache", "peers");
  const path = join(folder, name);
  if (existsSync(path)) return path;

  await build({
    ...{ configFile: false, root: HERE, logLevel: "error" },
    ssr: { noExternal: true },
    build: {
      ...{ outDir: folder, emptyOutDir: false, minify: false },
      ssr: join(HERE, "pages", "tensorflow-in-node.mjs"),
      rolldownOptions: { output: { entryFileNames: name, format: "esm" } },
    },
  });
  return path;
}
