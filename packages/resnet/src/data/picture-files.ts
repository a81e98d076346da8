import { nodeModules } from "./node.ts";

/** Endings of files that `decodeImage` reads. */
const PICTURES = /\.(jpe?g|jpe|jfif|png|webp|gif|avif|tiff?|bmp|p[pgn]m)$/i;

/** Pictures in a folder, and what else is there. */
export interface PictureFiles {
  /** Paths from the folder on, in alphabetical order. */
  readonly pictures: readonly string[];
  /** Endings of the files that are no pictures, hidden ones aside. */
  readonly others: readonly string[];
  /** Hidden files and folders, such as systems put beside pictures: `._photo.jpg`. */
  readonly hidden: number;
  /** Links to nothing, or back to a folder that they lie in. */
  readonly brokenLinks: number;
}

/** Look through a folder and those below it, linked ones as well, in Node. */
export async function pictureFiles(folder: string): Promise<PictureFiles> {
  const { files: fs, path } = nodeModules("pictureFiles");
  const pictures: string[] = [];
  const others: string[] = [];
  let hidden = 0;
  let brokenLinks = 0;
  const visit = async (relative: string, above: readonly string[]): Promise<void> => {
    const real = await fs.realpath(path.join(folder, relative));
    if (above.includes(real)) {
      brokenLinks++;
      return;
    }
    for (const { name } of await fs.readdir(real, { withFileTypes: true })) {
      const inside = path.join(relative, name);
      if (name.startsWith(".")) {
        hidden++;
        continue;
      }
      const found = await fs.stat(path.join(real, name)).catch(() => undefined);
      if (!found) brokenLinks++;
      else if (found.isDirectory()) await visit(inside, [...above, real]);
      else if (PICTURES.test(name)) pictures.push(inside);
      else others.push(path.extname(name).toLowerCase() || name);
    }
  };
  await visit("", []);
  return { pictures: pictures.sort(), others, hidden, brokenLinks };
}

/** A number of things, and words for one and for many. */
type Counted = readonly [number, one: string, many: string];

/** Kinds of things in folders that are not among their pictures, each with its number: `3 hidden files`. */
export function leftOutOf(found: readonly PictureFiles[], more: readonly Counted[] = []): string[] {
  const others = found.flatMap((part) => part.others);
  const endings = [...new Set(others)].sort();
  const shown = endings.slice(0, 4).join(" ") + (endings.length > 4 ? " …" : "");
  const sum = (count: (part: PictureFiles) => number) =>
    found.reduce((total, part) => total + count(part), 0);
  const kinds: readonly Counted[] = [
    [others.length, `file that is no picture (${shown})`, `files that are no pictures (${shown})`],
    [sum(({ hidden }) => hidden), "hidden file", "hidden files"],
    [sum(({ brokenLinks }) => brokenLinks), "link that leads nowhere new", "links that lead nowhere new"],
    ...more,
  ];
  return kinds.flatMap(([count, one, many]) => (count > 0 ? `${count} ${count === 1 ? one : many}` : []));
}

/** Subfolders of a folder, linked ones as well, without hidden ones; and how many other things are there. */
export async function subfolders(folder: string): Promise<{ names: readonly string[]; others: number }> {
  const { files: fs, path } = nodeModules("imageFolder");
  const names: string[] = [];
  let others = 0;
  for (const name of await fs.readdir(folder)) {
    if (name.startsWith(".")) continue;
    const found = await fs.stat(path.join(folder, name)).catch(() => undefined);
    if (found?.isDirectory()) names.push(name);
    else others++;
  }
  return { names: names.sort(), others };
}
