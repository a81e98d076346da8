import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Folders whose files are fetched, checked and kept by the page's worker when they are used. */
const KEPT_ELSEWHERE = /^(weights|cifar10)\//;

/**
 * Write a service worker into the page's folder: it keeps all files of this build, so that after one visit every view works
 * without the network. A new build has a cache of its own, and takes over once no tab shows the old one.
 *
 * @param {string} site
 */
export function writeServiceWorker(site) {
  const files = readdirSync(site, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(site, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !KEPT_ELSEWHERE.test(path) && path !== "service-worker.js")
    .sort();
  const hash = createHash("sha256");
  for (const path of files) hash.update(path).update(readFileSync(join(site, path)));
  const build = `shadegrad-build-${hash.digest("hex").slice(0, 16)}`;
  const code = `const BUILD = ${JSON.stringify(build)};\nconst FILES = ${JSON.stringify(["./", ...files])};\n(${worker})(BUILD, FILES);\n`;
  writeFileSync(join(site, "service-worker.js"), code);
}

/**
 * The service worker itself; only its text is used.
 *
 * @param {string} build
 * @param {readonly string[]} files
 */
function worker(build, files) {
  const scope = /** @type {any} */ (globalThis);
  // Past the browser's own cache, which may still have the build before.
  const keep = async () =>
    (await caches.open(build)).addAll(files.map((file) => new Request(file, { cache: "reload" })));
  const forget = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("shadegrad-build-") && name !== build);
    await Promise.all(old.map((name) => caches.delete(name)));
  };
  /** @param {Request} request */
  const answer = async (request) => {
    const cache = await caches.open(build);
    const kept = () => cache.match(request, { ignoreSearch: true, ignoreVary: true });
    // The page, and files whose names do not change with their contents, come from the network while there is one, so that a
    // new build is seen at once and whole.
    if (request.mode === "navigate" || !/\/assets\//.test(request.url))
      return fetch(request).catch(async () => (await kept()) ?? Response.error());
    return (await kept()) ?? fetch(request);
  };
  scope.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(keep()));
  scope.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(forget()));
  scope.addEventListener("fetch", (/** @type {any} */ event) => {
    const { method, url } = event.request;
    if (method === "GET" && new URL(url).origin === scope.location.origin)
      event.respondWith(answer(event.request));
  });
}
