import { nodeModules } from "./data/node.ts";
import type { zoo } from "./zoo.ts";

/** A net that this engine trained, whose weights come with the package. */
export interface TrainedModel {
  readonly name: keyof typeof zoo;
  /** Path of a file for `loadCheckpoint`. */
  readonly path: string;
}

/**
 * The ResNets that come with the package, in Node: `models/resnet8-cifar10.safetensors` is a resnet8. The net of the fast
 * recipe lies beside them and is named by its path.
 */
export async function trainedModels(): Promise<TrainedModel[]> {
  const { files, path } = nodeModules("the package's own models");
  const folder = path.join(import.meta.dirname, "..", "models");
  const names = (await files.readdir(folder)).filter((name) => /^resnet.*\.safetensors$/.test(name));
  return names.sort().map((file) => ({
    name: file.slice(0, file.indexOf("-")) as keyof typeof zoo,
    path: path.join(folder, file),
  }));
}
