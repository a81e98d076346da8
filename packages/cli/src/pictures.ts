import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Extensions of pictures that a folder is searched for. */
const PICTURE = /\.(jpe?g|jfif|png|webp|gif|avif|tiff?|bmp|ppm|pgm|pnm)$/i;

/** Standard input, among the names of pictures. */
export const STDIN = "-";

/** The pictures that the arguments name: a folder stands for all pictures below it, in alphabetical order. */
export async function picturesOf(names: readonly string[]): Promise<string[]> {
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
    const files = await readdir(name, { recursive: true });
    const inside = files.filter((file) => PICTURE.test(file) && !/(^|[\\/])\./.test(file)).sort();
    if (inside.length === 0) throw new Error(`${name}: this folder has no picture.`);
    found.push(...inside.map((file) => join(name, file)));
  }
  return found;
}

/** All bytes of standard input. */
export async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}
