import { constants, existsSync } from "node:fs";
import { access, readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/**
 * Check, before any work, that a file can be written.
 *
 * @throws Error with the option and the path as they were given.
 */
export async function checkOutputFile(option: string, path: string): Promise<void> {
  const what = `${option} ${path}`.trim();
  if (await isFolder(path)) throw new Error(`${what}: this is a folder; name a file in it.`);
  const folder = dirname(path);
  if (!existsSync(folder)) throw new Error(`${what}: there is no folder ${folder}; make it first.`);
  if (!(await isFolder(folder))) throw new Error(`${what}: ${folder} is a file and no folder.`);
  if (!(await isWritable(folder))) throw new Error(`${what}: nothing may be written into ${folder}.`);
}

/**
 * Check, before any work, that a folder exists or can be made.
 *
 * @throws Error with the option and the path as they were given.
 */
export async function checkOutputFolder(option: string, path: string): Promise<void> {
  let there = resolve(path);
  while (!existsSync(there)) there = dirname(there);
  if (!(await isFolder(there))) {
    const which = there === resolve(path) ? "this" : there;
    throw new Error(`${option} ${path}: ${which} is a file, and must be a folder.`);
  }
  if (!(await isWritable(there))) throw new Error(`${option} ${path}: nothing may be written into ${there}.`);
}

/**
 * Check that weights are a file and no folder.
 *
 * @throws Error with the files in the folder that may be meant.
 */
export async function checkWeights(path: string): Promise<void> {
  if (!(await isFolder(path))) return;
  const files = (await readdir(path)).filter((name) => WEIGHTS.test(name));
  // A training's checkpoint has weights too, but under names of its own.
  const found = files.filter((name) => name !== "checkpoint.safetensors").map((name) => join(path, name));
  throw new Error(
    `${path}: this is a folder; weights are a file${found.length > 0 ? `, as ${found.slice(0, 3).join(" or ")} is` : ""}.`,
  );
}

const WEIGHTS = /\.(safetensors|pt|pth|th|bin|ckpt|index\.json)$|^model\.json$/;

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const isWritable = async (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
