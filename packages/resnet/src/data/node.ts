/**
 * Node's own modules, asked of the process, so that no bundler sees an import to resolve.
 *
 * @throws Error in a browser, with what needed them.
 */
export function nodeModules(what: string) {
  const get = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule;
  if (!get) throw new Error(`${what} needs Node's files, and this is a browser.`);
  return {
    childProcess: get("node:child_process"),
    crypto: get("node:crypto"),
    files: get("node:fs/promises"),
    module: get("node:module"),
    os: get("node:os"),
    path: get("node:path"),
  };
}

export const onNode: boolean = Boolean((globalThis as { process?: NodeJS.Process }).process?.versions?.node);
