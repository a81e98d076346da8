import { nodeModules } from "../data/node.ts";

/** The process that writes into a folder. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Start of the process in clock ticks, which tells it from a later one of the same pid; absent off Linux. */
  readonly started?: string;
}

/** Milliseconds that a lock without readable content is respected: on a file system without links it may be half written. */
const BLANK = 10_000;

/** A file that lets one training at a time write into a folder; the lock of a dead process is taken over. */
export class RunLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws Error if another process that still runs, or another training of this one, holds the lock. */
  static async acquire(path: string): Promise<RunLock> {
    const { files, os } = nodeModules("a lock");
    const own: Holder = { pid: process.pid, host: os.hostname(), ...(await startOf(process.pid)) };
    for (let attempt = 0; attempt < 3; attempt++) {
      if (await create(path, JSON.stringify(own))) return new RunLock(path);
      const found = await files.readFile(path, "utf8").catch(() => undefined);
      if (found === undefined) continue; // released meanwhile
      const holder = parse(found);
      if (holder ? await isAlive(holder, own.host) : await isRecent(path)) throw heldBy(path, holder);
      await discard(path, found);
    }
    throw heldBy(path, undefined);
  }

  async release(): Promise<void> {
    await nodeModules("a lock").files.rm(this.#path, { force: true });
  }
}

/** Make a file with this content, whole from its first moment; false if there is one already. */
async function create(path: string, content: string): Promise<boolean> {
  const { files } = nodeModules("a lock");
  const draft = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await files.writeFile(draft, content, { flag: "wx" });
    await files.link(draft, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") throw error;
      await files.writeFile(path, content, { flag: "wx" }); // a file system without links
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    await files.rm(draft, { force: true });
  }
}

function heldBy(path: string, holder: Holder | undefined): Error {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : "another process";
  return new Error(
    `train: ${who} is training in this folder: it holds ${path}. Name another folder or, if that training is over, delete the file.`,
  );
}

/** Remove a stale lock, unless another process has replaced it meanwhile. */
async function discard(path: string, stale: string): Promise<void> {
  const { files } = nodeModules("a lock");
  const aside = `${path}.${crypto.randomUUID()}.tmp`;
  const isMoved = await files.rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!isMoved) return;
  if ((await files.readFile(aside, "utf8")) !== stale) await files.link(aside, path).catch(() => {});
  await files.rm(aside, { force: true });
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text);
    return Number.isSafeInteger(holder.pid) && typeof holder.host === "string" ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** True if the process runs; a process of another machine counts as running. */
async function isAlive({ pid, host, started }: Holder, here: string): Promise<boolean> {
  if (host !== here) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  const now = (await startOf(pid)).started;
  return started === undefined || now === undefined || started === now;
}

async function isRecent(path: string): Promise<boolean> {
  const { files } = nodeModules("a lock");
  return files.stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs < BLANK,
    () => true,
  );
}

/** Field 22 of `/proc/PID/stat`; the second field may hold spaces and brackets. */
async function startOf(pid: number): Promise<Pick<Holder, "started">> {
  const { files } = nodeModules("a lock");
  const stat = await files.readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return started ? { started } : {};
}
