import { stat } from "node:fs/promises";
import { join } from "node:path";
import { leftOutOf, pictureFiles } from "@shadegrad/resnet";
import type { Terminal } from "./terminal.ts";

/** Standard input, among the names of pictures. */
export const STDIN = "-";

/** The pictures that the arguments name: a folder stands for all pictures below it, in alphabetical order. */
export async function picturesOf(names: readonly string[], terminal: Terminal): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) {
    const isFolder = await stat(name).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
    if (!isFolder) {
      found.push(name);
      continue;
    }
    const files = await pictureFiles(name);
    const leftOut = leftOutOf([files]).join(", ");
    if (files.pictures.length === 0)
      throw new Error(`${name}: this folder has no picture${leftOut && `, but ${leftOut}`}.`);
    if (leftOut) terminal.note(`${name}: left out ${leftOut}`);
    found.push(...files.pictures.map((file) => join(name, file)));
  }
  return found;
}

/** All bytes of standard input. */
export async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}
