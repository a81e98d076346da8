import { preview } from "vite";
import { SITE } from "./build.mjs";

/**
 * Serve the page that was built, on this machine only unless a host is given.
 *
 * @param {{ port?: number, everywhere?: boolean | undefined, base?: string }} [options] `base` is the path under which
 * the page lies; port 0 takes any
 */
export async function serve({ port = 0, everywhere = false, base = "/" } = {}) {
  const server = await preview({
    configFile: false,
    logLevel: "warn",
    base,
    build: { outDir: SITE },
    preview: { port, host: everywhere ? true : "127.0.0.1" },
  });
  const urls = server.resolvedUrls;
  const url = (everywhere && urls?.network[0]) || urls?.local[0] || "";
  return { url, close: () => server.close() };
}
