import { checkOptions } from "@shadegrad/tensor";
import type { Dataset, Example, ImageShape, Normalization } from "./dataset.ts";
import { decodeImage } from "./decode.ts";
import { nodeModules } from "./node.ts";
import { leftOutOf, pictureFiles, subfolders } from "./picture-files.ts";
import { resizeCentre } from "./resize.ts";

export interface ImageFolderOptions {
  /** Side of the square that each picture becomes: the middle, after its shorter side has been resized to `resize`. */
  size?: number;
  /** `size` if absent. */
  resize?: number;
  normalization?: Normalization;
}

const OPTIONS: readonly (keyof ImageFolderOptions)[] = ["size", "resize", "normalization"];

/** Mean and deviation of ImageNet's training pictures. */
export const IMAGENET_NORMALIZATION: Normalization = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Pictures in a folder, decoded when their turn comes. */
export interface ImageFolder extends Dataset {
  /** Paths, by number. */
  readonly files: readonly string[];
  /** Numbers of their classes. */
  readonly labels: readonly number[];
  /** Things in the folder that are not read, each with a number: `3 files that are no pictures (.txt)`. */
  readonly leftOut: readonly string[];
}

/**
 * A folder of pictures, a subfolder for each class, in Node. Classes and files are in alphabetical order; pictures may lie
 * deeper, and folders may be links. Names of classes are in Unicode's composed form: two ways to write one are one class.
 *
 * @throws Error if the folder cannot be read, or has no subfolder with a picture.
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  checkOptions("imageFolder", options, OPTIONS);
  const { size = 224, resize = size, normalization = IMAGENET_NORMALIZATION } = options;
  if (resize < size) {
    throw new RangeError(
      `imageFolder: a square of ${size} pixels is not in a picture whose shorter side is ${resize}.`,
    );
  }
  const { path } = nodeModules("imageFolder");
  const { names, others: loose } = await subfolders(folder);
  const classes = [...new Set(names.map((name) => name.normalize("NFC")))].sort();
  const found = await Promise.all(names.map((name) => pictureFiles(path.join(folder, name))));
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of classes.entries()) {
    for (const [i, folderName] of names.entries()) {
      if (folderName.normalize("NFC") !== name) continue;
      for (const file of found[i]!.pictures) {
        files.push(path.join(folder, folderName, file));
        labels.push(label);
      }
    }
  }
  const leftOut = leftOutOf(found, [
    [loose, "file outside the classes' folders", "files outside the classes' folders"],
    [classes.length - new Set(labels).size, "class without a picture", "classes without a picture"],
  ]);
  if (files.length === 0) {
    throw new Error(
      `imageFolder: ${folder} has no pictures in subfolders${leftOut.length > 0 ? `, but ${leftOut.join(", ")}` : ""}. Put those of each class into a folder with its name.`,
    );
  }
  return {
    files,
    labels,
    leftOut,
    classes,
    normalization,
    length: files.length,
    shape: [size, size, 3] satisfies ImageShape,
    async read(i): Promise<Example> {
      const picture = resizeCentre(await decodeImage(files[i]!), resize, size);
      return { image: picture.pixels, label: labels[i]! };
    },
  };
}
