import { createServer, defaultServerConditions } from "vite";
import { ROOT } from "./install.mjs";

/**
 * A server that loads the repository's TypeScript into this process, without a build: `ssrLoadModule("/packages/…")`.
 *
 * @param {import("vite").Plugin[]} [plugins]
 */
export const serveSources = (plugins = []) =>
  createServer({
    configFile: false,
    root: ROOT,
    logLevel: "error",
    cacheDir: ".cache/vite",
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    ssr: { resolve: { conditions: ["@shadegrad/source", ...defaultServerConditions] } },
    oxc: { target: "es2022" }, // Node 20 has no `using`
    plugins,
  });
