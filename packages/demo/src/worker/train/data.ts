import { CIFAR10_CLASSES, CIFAR10_NORMALIZATION, decodeImage, ImageSet } from "@shadegrad/resnet";
import type { AssetFile, Loading } from "../../worker-client/messages/nets.ts";
import type { TrainSettings } from "../../worker-client/messages/train.ts";
import { bundledAssets } from "../bundled-assets.ts";
import { fetchCached } from "../cached-files.ts";
import { shapes } from "./shapes.ts";

export interface Data {
  readonly train: ImageSet;
  readonly test: ImageSet;
}

/** Size of the test set. */
const TEST = 2000;

const ready = new Map<string, Promise<Data>>();

/** Training and test images. The last set is cached. */
export function dataOf(
  { data, images, tested = TEST }: Pick<TrainSettings, "data" | "images"> & { readonly tested?: number },
  onProgress: (progress: Loading) => void,
): Promise<Data> {
  const key = `${data} ${images} ${tested}`;
  let found = ready.get(key);
  if (!found) {
    found = data === "shapes" ? drawn(images) : fetched(images, tested, onProgress);
    ready.clear(); // one set at a time, since images take memory
    ready.set(key, found);
    found.catch(() => ready.delete(key));
  }
  return found;
}

const drawn = async (images: number): Promise<Data> => ({ train: shapes(images, 1), test: shapes(TEST, 2) });

/** Images in each CIFAR-10 file: one per row of its picture. */
const ROWS = 10_000;

async function fetched(
  images: number,
  tested: number,
  onProgress: (progress: Loading) => void,
): Promise<Data> {
  const { cifar10 } = await bundledAssets();
  if (!cifar10) throw new Error("This page has no CIFAR-10. Choose the shapes, which the page draws itself.");
  const parts = cifar10.train.slice(0, Math.ceil(images / ROWS));
  const wanted = [...parts, cifar10.test, ...cifar10.labels];
  const of = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  let bytes = 0;
  const get = async (file: AssetFile) =>
    (
      await fetchCached(file, (more) => {
        bytes += more;
        onProgress({ phase: "fetch", bytes, of });
      })
    ).file;
  const [trainLabels, testLabels] = await Promise.all(
    cifar10.labels.map(async (file) => labelsIn(await get(file))),
  );
  const pixels = new Uint8Array(parts.length * ROWS * 3072);
  // Sequential, since a decoded picture takes 40 MB.
  for (const [i, part] of parts.entries())
    pixels.set((await decodeImage(await get(part))).pixels, i * ROWS * 3072);
  const test = (await decodeImage(await get(cifar10.test))).pixels;
  onProgress({ phase: "upload", bytes: of, of });
  return {
    train: setOf(pixels, trainLabels!).slice(0, images),
    test: setOf(test, testLabels!).slice(0, tested),
  };
}

const setOf = (images: Uint8Array, labels: Uint8Array): ImageSet =>
  new ImageSet({
    images,
    labels: labels.subarray(0, images.length / 3072),
    shape: [32, 32, 3],
    classes: CIFAR10_CLASSES,
    normalization: CIFAR10_NORMALIZATION,
  });

/** Labels in a file whose hash was checked. */
const labelsIn = async (file: File): Promise<Uint8Array> => Uint8Array.from(JSON.parse(await file.text()));
