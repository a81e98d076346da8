import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { cifar10, type Dataset, imageFolder } from "@shadegrad/resnet";
import { cannotFetch } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

export type Split = "train" | "test";

/** A data set whose labels are known without reading its images. */
export interface Labelled extends Dataset {
  readonly labels: ArrayLike<number>;
}

/** Names of a split's subfolder, in order of preference, in whatever case. */
const FOLDERS: Readonly<Record<Split, readonly string[]>> = {
  train: ["train", "training"],
  test: ["test", "testing", "val", "valid", "validation"],
};

/**
 * CIFAR-10 by its name, or a folder of pictures: its subfolder of the split or, without such subfolders, all of it.
 */
export async function openDataset(
  name: string,
  split: Split,
  { large }: { large: boolean },
  terminal: Terminal,
): Promise<Labelled> {
  if (name === "cifar10") {
    return cifar10({ split, log: terminal.note }).catch(
      cannotFetch("CIFAR-10", "Without a network, --dataset names a folder that is here."),
    );
  }
  if (!existsSync(name))
    throw new Error(`there is no data set ${name}: it is cifar10, or a folder of pictures by class.`);
  const folder = subfolder(name, split);
  const other = subfolder(name, split === "train" ? "test" : "train");
  if (!folder && other) {
    throw new Error(
      `${name} has a subfolder ${basename(other)}, but none called ${FOLDERS[split].join(" or ")}.`,
    );
  }
  const data = await imageFolder(folder ?? name, large ? { size: 224, resize: 256 } : { size: 32 });
  if (data.leftOut.length > 0) terminal.note(`${folder ?? name}: left out ${data.leftOut.join(", ")}`);
  return data;
}

/** True if a data set has parts for training and for testing. */
export const isSplit = (name: string): boolean =>
  name === "cifar10" || Boolean(subfolder(name, "train") ?? subfolder(name, "test"));

function subfolder(name: string, split: Split): string | undefined {
  if (!existsSync(name) || !statSync(name).isDirectory()) return undefined;
  const entries = readdirSync(name);
  const found = FOLDERS[split].flatMap((part) => entries.find((entry) => entry.toLowerCase() === part) ?? []);
  return found.map((entry) => join(name, entry)).find((path) => statSync(path).isDirectory());
}

export interface TrainingDataOptions {
  dataset: string;
  /** Number of training images: all if absent. */
  limit?: number;
  /** Number of validation images: all of the test split if absent. */
  validation?: number;
}

/**
 * Data for training and validation: two splits of a data set or, of a folder without splits, some pictures of each class
 * and the others.
 *
 * @throws Error if there is only one class, or the splits have different ones.
 */
export async function openTrainingData(
  { dataset: name, limit, validation: wanted }: TrainingDataOptions,
  shape: { large: boolean },
  terminal: Terminal,
): Promise<{ data: Labelled; validation: Labelled | undefined }> {
  const all = await openDataset(name, "train", shape, terminal);
  checkClasses(all, name);
  // CIFAR-10 is shuffled; a folder is sorted by class.
  const some = (data: Labelled, count = data.length) =>
    name === "cifar10" ? part(data, firsts(count, data.length)) : part(data, spread(count, data.length));

  let [data, validation]: [Labelled, Labelled | undefined] = [all, undefined];
  if (wanted !== 0 && (name === "cifar10" || subfolder(name, "test"))) {
    const test = await openDataset(name, "test", shape, terminal);
    const strangers = test.classes.filter((label) => !all.classes.includes(label));
    if (strangers.length > 0) {
      throw new Error(
        `${name} has pictures of ${few(strangers)} for validation, but none for training: those are of ${few(all.classes)}.`,
      );
    }
    const to = test.classes.map((label) => all.classes.indexOf(label));
    validation = some(renumbered(test, to, all.classes), wanted);
  } else if (wanted) {
    if (wanted >= all.length) {
      throw new Error(
        `--validation ${wanted} leaves none of the ${all.length} pictures in ${name} for training.`,
      );
    }
    const chosen = new Set(spread(wanted, all.length));
    validation = part(all, [...chosen]);
    data = part(
      all,
      Array.from(all.labels, (_, i) => i).filter((i) => !chosen.has(i)),
    );
  }
  data = some(data, limit);
  const labels = new Set(Array.from(data.labels));
  if (labels.size < 2) throw new Error(oneClass(`what is left of ${name}`, data, labels));
  return { data, validation };
}

function checkClasses({ classes, labels }: Labelled, name: string): void {
  const there = new Set(Array.from(labels));
  if (there.size < 2) throw new Error(oneClass(name, { classes }, there));
  const empty = classes.filter((_, label) => !there.has(label));
  if (empty.length > 0) {
    throw new Error(
      `${name} has no picture of ${few(empty)}: put some into ${empty.length > 1 ? "these subfolders" : "this subfolder"}, or remove ${empty.length > 1 ? "them" : "it"}.`,
    );
  }
}

const oneClass = (what: string, { classes }: Pick<Dataset, "classes">, labels: ReadonlySet<number>): string =>
  `${what} has pictures of one class only, ${[...labels].map((label) => classes[label])}. A classifier needs two classes or more, the pictures of each in a subfolder of its name.`;

/** At most five names of a list. */
export const few = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} others` : names.join(", ");

/** The images of a data set with these numbers. */
function part(data: Labelled, numbers: readonly number[]): Labelled {
  if (numbers.length === data.length) return data;
  const { classes, shape, normalization } = data;
  return {
    length: numbers.length,
    classes,
    shape,
    normalization,
    labels: numbers.map((i) => data.labels[i]!),
    read: (i) => data.read(numbers[i]!),
  };
}

const firsts = (count: number, of: number): number[] =>
  Array.from({ length: Math.min(count, of) }, (_, i) => i);

/** `count` numbers below `of`, evenly spread. */
const spread = (count: number, of: number): number[] =>
  firsts(count, of).map((k) => Math.floor(((k + 0.5) * of) / Math.min(count, of)));

/** The same data, with class `i` renumbered to `to[i]` among other classes. */
export function renumbered(data: Labelled, to: readonly number[], classes: readonly string[]): Labelled {
  const { length, shape, normalization } = data;
  return {
    length,
    shape,
    normalization,
    classes,
    labels: Array.from(data.labels, (label) => to[label]!),
    async read(i) {
      const { image, label } = await data.read(i);
      return { image, label: to[label]! };
    },
  };
}
