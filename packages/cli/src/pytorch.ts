import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CIFAR10_NORMALIZATION,
  IMAGENET_NORMALIZATION,
  isForLarge,
  type Preprocessing,
  ResNet,
  recipes,
  saveCheckpoint,
} from "@shadegrad/resnet";
import type { LoadedNet } from "./net.ts";

/** Files that are the same for every net: `train.py` is the script for torchrun. */
const SCRIPTS = ["train.py", "nets.py", "weights.py"] as const;
/** Training images that a recipe's number of epochs is counted by; CIFAR-10's. */
const IMAGES = 50_000;

export interface TorchOptions {
  recipe: "paper" | "short";
  steps?: number | undefined;
}

/** Settings of `train.py`. */
interface TorchSettings {
  /** The arguments of the ResNet. */
  readonly net: object;
  readonly batchSize: number;
  readonly labelSmoothing: number;
  /** Arguments of `torch.optim.SGD`. */
  readonly optimizer: object;
  /** Learning rates: a number of steps, and their rate. */
  readonly rates: readonly (readonly [count: number, rate: number])[];
  /** Sides in pixels, preprocessing, and variations of the pictures. */
  readonly image: Preprocessing & { size: number; resize: number; pad: number; flip: boolean };
}

/**
 * Write a net for PyTorch: its state dict, a recipe as numbers, and a script for `torchrun` that trains it with them.
 *
 * @throws Error if the net is none of ResNet's.
 */
export async function writeTorchFolder(
  folder: string,
  { model, name, labels, hasOwnLabels, ...net }: LoadedNet,
  options: TorchOptions,
): Promise<TorchSettings> {
  if (!(model instanceof ResNet))
    throw new Error(`${name} has no counterpart in PyTorch's script; it trains ResNets.`);
  if (hasOwnLabels) model.labels = labels;
  const preprocessing = net.preprocessing ?? usual(model);
  await mkdir(folder, { recursive: true });
  await saveCheckpoint(model, join(folder, "model.safetensors"), { preprocessing });
  const settings = settingsOf(model, preprocessing, options);
  await writeFile(join(folder, "settings.json"), `${JSON.stringify(settings)}\n`);
  const own = join(import.meta.dirname, "..", "pytorch");
  for (const script of SCRIPTS) await copyFile(join(own, script), join(folder, script));
  return settings;
}

function settingsOf(model: ResNet, preprocessing: Preprocessing, options: TorchOptions): TorchSettings {
  const { optimizer, schedule, steps, ...recipe } = recipes[options.recipe](model, {
    images: IMAGES,
    steps: options.steps,
  });
  const { momentum, weightDecay, nesterov } = optimizer.groups[0]!;
  const large = isForLarge(model);
  return {
    net: model.options,
    batchSize: recipe.batchSize,
    labelSmoothing: recipe.labelSmoothing ?? 0,
    optimizer: { momentum, weight_decay: weightDecay, nesterov },
    rates: runs(Array.from({ length: steps }, (_, step) => schedule?.(step) ?? optimizer.lr)),
    image: {
      ...preprocessing,
      ...(large ? { size: 224, resize: 256 } : { size: 32, resize: 32 }),
      pad: recipe.augment?.pad ?? 0,
      flip: Boolean(recipe.augment?.flip),
    },
  };
}

/** Preprocessing where the weights tell none, as for classification; of one channel, the mean over the colours. */
function usual(model: ResNet): Preprocessing {
  const { mean, std } = isForLarge(model) ? IMAGENET_NORMALIZATION : CIFAR10_NORMALIZATION;
  if (model.options.imgChannels !== 1) return { channels: "rgb", range: 1, mean, std };
  const average = (values: readonly number[]) => [values.reduce((sum, value) => sum + value) / values.length];
  return { channels: "grey", range: 1, mean: average(mean), std: average(std) };
}

/** Equal neighbours as one, with their number. */
function runs(values: readonly number[]): [count: number, value: number][] {
  const found: [number, number][] = [];
  for (const value of values) {
    const last = found.at(-1);
    if (last?.[1] === value) last[0]++;
    else found.push([1, value]);
  }
  return found;
}
