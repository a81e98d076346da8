import type { Dataset, Example, ImageShape, Normalization } from "./dataset.ts";
import { decodeImage } from "./decode.ts";
import { nodeModules } from "./node.ts";
import { cropCentre, resizeShorter } from "./resize.ts";

export interface ImageFolderOptions {
  /** Side of the square that each picture becomes: the middle, after its shorter side has been resized to `resize`. */
  size?: number;
  /** `size` if absent. */
  resize?: number;
  normalization?: Normalization;
}

/** What ImageNet's nets are given: mean and deviation of its training pictures. */
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
}

/**
 * A folder of pictures, a subfolder for each class, in Node. Classes and files are in alphabetical order; pictures may lie
 * deeper.
 *
 * @throws Error if the folder cannot be read, or has no subfolder with a picture.
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const { size = 224, resize = size, normalization = IMAGENET_NORMALIZATION } = options;
  if (resize < size) {
    throw new RangeError(
      `imageFolder: a square of ${size} pixels is not in a picture whose shorter side is ${resize}.`,
    );
  }
  const { files: fs, path } = nodeModules("imageFolder");
  const entries = await fs.readdir(folder, { withFileTypes: true });
  const classes = entries.flatMap((entry) =>
    entry.isDirectory() && !entry.name.startsWith(".") ? entry.name : [],
  );
  classes.sort();
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of classes.entries()) {
    const found = await fs.readdir(path.join(folder, name), { recursive: true });
    for (const file of found.filter(isPicture).sort()) {
      files.push(path.join(folder, name, file));
      labels.push(label);
    }
  }
  if (files.length === 0) {
    throw new Error(
      `imageFolder: ${folder} has no pictures in subfolders. Put those of each class into a folder with its name.`,
    );
  }
  return {
    files,
    labels,
    classes,
    normalization,
    length: files.length,
    shape: [size, size, 3] satisfies ImageShape,
    async read(i): Promise<Example> {
      const picture = cropCentre(resizeShorter(await decodeImage(files[i]!), resize), size);
      return { image: picture.pixels, label: labels[i]! };
    },
  };
}

/** Not those that systems hide beside them: `._photo.jpg`. */
const isPicture = (path: string): boolean =>
  /\.(jpe?g|png|webp|gif|avif)$/i.test(path) && !/(^|[\\/])\./.test(path);
