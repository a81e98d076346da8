import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { RunLock } from "../../src/training/run-lock.ts";

let root: string;
let folder: string;
let path: string;
const children: ChildProcess[] = [];
// The very object that the sources ask the process for.
const files = process.getBuiltinModule("node:fs/promises");
const real = files.readFile;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "shadegrad-lock-"));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, "run-"));
  path = join(folder, "training.lock");
});
afterEach(() => {
  files.readFile = real;
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rm(root, { recursive: true, force: true }));

const living = { pid: process.ppid, host: hostname() };
const dead = { pid: spawnSync(process.execPath, ["-e", ""]).pid, host: hostname() };

/** Replace the first readings of the lock: each gets the number of its turn, from 0. */
function readsAs(turns: readonly (() => Promise<string>)[]): void {
  let turn = 0;
  files.readFile = ((...args: Parameters<typeof real>) => {
    const replaced = args[0] === path ? turns[turn++] : undefined;
    return replaced ? replaced() : real(...args);
  }) as typeof real;
}

const isTaken = async () => {
  const lock = await RunLock.acquire(path);
  expect(JSON.parse(await readFile(path, "utf8")).pid).toBe(process.pid);
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
};

it("without a name is respected for some seconds, and then taken over", async () => {
  await writeFile(path, "");
  await expect(RunLock.acquire(path)).rejects.toThrow(/another process is training in this folder/);
  const old = new Date(Date.now() - 60_000);
  await utimes(path, old, old);
  await isTaken();
});

it("that another process took over just now stays with that process", async () => {
  await writeFile(path, JSON.stringify(living));
  readsAs([async () => JSON.stringify(dead)]);
  await expect(RunLock.acquire(path)).rejects.toThrow(`process ${living.pid} on`);
  files.readFile = real;
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual(living);
  expect(await readdir(folder)).toEqual(["training.lock"]);
});

it("that is released while it is looked at, twice, is taken", async () => {
  await writeFile(path, JSON.stringify(living));
  const gone = () => Promise.reject(Object.assign(new Error("ENOENT"), { code: "ENOENT" }));
  readsAs([
    gone,
    async () => {
      await rm(path);
      return gone();
    },
  ]);
  await isTaken();
});

it.skipIf(process.platform !== "linux")(
  "is of the process that was started at its time, whatever that one is called",
  async () => {
    const program = join(folder, "no) de (1)"); // Linux tells the name, in brackets, before the time
    await symlink(process.execPath, program);
    const stays = 'setTimeout(() => {}, 600_000); console.log("here")';
    const child = spawn(program, ["-e", stays], { stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    await once(child.stdout!, "data"); // a process may be called after its parent for a moment
    const pid = child.pid!;
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    expect(stat).toContain("(no) de (1)) ");
    const [, fields] = stat.split("(no) de (1)) ");
    // The third field, the state, is the first one here.
    const started = fields!.split(" ")[22 - 3]!;
    await rm(program);

    await writeFile(path, JSON.stringify({ pid, host: hostname(), started }));
    await expect(RunLock.acquire(path)).rejects.toThrow(`process ${pid} on`);
    await writeFile(path, JSON.stringify({ pid, host: hostname(), started: String(Number(started) - 1) }));
    await isTaken();
  },
);
