import { preview } from "vite";
import { DOCS_SITE } from "./build.mjs";

/**
 * Serve the site that was built, on this machine only unless told otherwise.
 *
 * @param {{ port?: number, everywhere?: boolean | undefined }} [options] port 0 takes any
 */
export async function serveDocs({ port = 0, everywhere = false } = {}) {
  const server = await preview({
    configFile: false,
    appType: "mpa",
    logLevel: "warn",
    base: "/docs/",
    build: { outDir: DOCS_SITE },
    preview: { port, host: everywhere ? true : "127.0.0.1" },
  });
  const urls = server.resolvedUrls;
  const url = (everywhere && urls?.network[0]) || urls?.local[0] || "";
  return { url, close: () => server.close() };
}
