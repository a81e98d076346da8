// Trains the small net of packages/tensor/test in a process of its own, and prints what came out as JSON.
import { execFile } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { embeddedSupported, provideSwiftshader, swiftshaderEnvironment } from "../setup/embedded.mjs";
import { ROOT } from "../setup/install.mjs";

/** @typedef {{ adapter: string, losses: number[], state: Record<string, string> }} Trained */

/**
 * Train in a fresh process with this environment added.
 *
 * @param {number} seed
 * @param {Record<string, string>} [environment]
 * @returns {Promise<Trained>}
 */
export async function trainedElsewhere(seed, environment = {}) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [fileURLToPath(import.meta.url), String(seed)],
    {
      cwd: ROOT,
      env: { ...process.env, ...environment },
    },
  );
  return JSON.parse(/** @type {string} */ (stdout.trim().split("\n").at(-1)));
}

/**
 * The same on Node's SwiftShader, for tests in a browser, which call it through vitest; null on a platform without one.
 *
 * @param {unknown} _
 * @param {number} seed
 */
export async function trainedOnSwiftshader(_, seed) {
  if (!embeddedSupported) return null;
  provideSwiftshader();
  return trainedElsewhere(seed, swiftshaderEnvironment);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { createServer, defaultServerConditions } = await import("vite");
  // Vite loads TypeScript and shaders as it does for the tests.
  const server = await createServer({
    root: ROOT,
    configFile: false,
    logLevel: "error",
    oxc: { target: "es2022" }, // Node 20 does not know `using`
    server: { middlewareMode: true, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    ssr: { resolve: { conditions: ["@shadegrad/source", ...defaultServerConditions] } },
  });
  const { trained } = await server.ssrLoadModule("/packages/tensor/test/smallNet.ts");
  console.log(JSON.stringify(await trained(Number(process.argv[2] ?? 1))));
  await server.close();
  process.exit(); // Dawn would keep the process alive
}
