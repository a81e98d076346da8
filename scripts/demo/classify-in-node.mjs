// node classify-in-node.mjs URL NET PICTURE: what the page's worker does for a first classification, here in Node, with the
// weights in the page's folder at that address. Prints the answer as JSON.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createServer, defaultServerConditions } from "vite";
import { ROOT } from "../setup/install.mjs";

const [url = "", net = "", picture = ""] = process.argv.slice(2);
// The address of the worker's script in the page.
Object.assign(globalThis, { self: { location: { href: new URL("assets/worker.js", url).href } } });

const { ssrLoadModule } = await createServer({
  configFile: false,
  root: ROOT,
  appType: "custom",
  logLevel: "error",
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  ssr: {
    noExternal: [/^@shadegrad\//],
    resolve: { conditions: ["@shadegrad/source", ...defaultServerConditions] },
  },
  oxc: { target: "es2022" }, // Node 20 does not know `using`
});
const WORKER = join(ROOT, "packages", "demo", "src", "worker");
const { loadNet } = await ssrLoadModule(join(WORKER, "nets.ts"));
const { classify } = await ssrLoadModule(join(WORKER, "classify.ts"));

await loadNet({ bundled: net }, () => {});
const { crop: _, ...answer } = await classify({ image: new Blob([readFileSync(picture)]) }, () => {});
console.log(JSON.stringify(answer));
process.exit();
