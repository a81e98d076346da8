interface MaybeNode {
  process?: NodeJS.Process;
}

/**
 * Folder for fetched data and measured variants: `SHADEGRAD_CACHE`, or `shadegrad` in the user's
 * cache folder.
 *
 * @throws Error in a browser.
 */
export function cacheFolder(): string {
  const { process } = globalThis as MaybeNode;
  // Asked of the process, so that no bundler sees an import to resolve.
  const path = process?.getBuiltinModule?.("node:path");
  if (!path) throw new Error("the cache needs Node's files, and this is a browser.");
  const { SHADEGRAD_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process!.env;
  if (SHADEGRAD_CACHE) return path.resolve(SHADEGRAD_CACHE);
  const home = process!.getBuiltinModule("node:os").homedir();
  const caches =
    process!.platform === "win32"
      ? (LOCALAPPDATA ?? path.join(home, "AppData", "Local"))
      : process!.platform === "darwin"
        ? path.join(home, "Library", "Caches")
        : XDG_CACHE_HOME || path.join(home, ".cache");
  return path.join(caches, "shadegrad");
}
