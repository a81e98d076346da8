import { existsSync } from "node:fs";
import { join } from "node:path";
import { cifar10 } from "../data/cifar10.ts";
import type { Dataset } from "../data/dataset.ts";
import { imageFolder } from "../data/image-folder.ts";
import { cannotFetch } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

export type Split = "train" | "test";

/** What folders of a split may be called, the likelier first. */
const FOLDERS: Readonly<Record<Split, readonly string[]>> = {
  train: ["train"],
  test: ["test", "val", "validation"],
};

/**
 * CIFAR-10 by its name, or the folder of pictures at a path: those in its subfolder of the split, or all if it is not
 * split.
 */
export async function openDataset(
  name: string,
  split: Split,
  { large }: { large: boolean },
  terminal: Terminal,
): Promise<Dataset> {
  if (name === "cifar10") {
    return cifar10({ split, log: terminal.note }).catch(
      cannotFetch("CIFAR-10", "Without a network, --dataset names a folder that is here."),
    );
  }
  if (!existsSync(name))
    throw new Error(`there is no data set ${name}: it is cifar10, or a folder of pictures by class.`);
  const folder = FOLDERS[split].map((part) => join(name, part)).find(existsSync);
  if (!folder && isSplit(name)) throw new Error(`${name} has no subfolder ${FOLDERS[split].join(" or ")}.`);
  return imageFolder(folder ?? name, large ? { size: 224, resize: 256 } : { size: 32 });
}

/** Whether a data set has images to judge by apart from those to train with. */
export const isSplit = (name: string): boolean => name === "cifar10" || existsSync(join(name, "train"));

/** The first images of a data set. */
export function firstOf(data: Dataset, count: number | undefined): Dataset {
  if (count === undefined || count >= data.length) return data;
  const { classes, shape, normalization } = data;
  return { length: count, classes, shape, normalization, read: (i) => data.read(i) };
}
