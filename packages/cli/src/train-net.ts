import {
  FASTNET_KEY,
  FastNet,
  freeze,
  loadCheckpoint,
  preprocessed,
  ResNet,
  whiten,
  zoo,
} from "@shadegrad/resnet";
import { manualSeed } from "@shadegrad/tensor";
import type { ModelName } from "./arguments.ts";
import { few, type Labelled, openTrainingData } from "./datasets.ts";
import { withWeights } from "./net.ts";
import type { Terminal } from "./terminal.ts";
import type { TrainOptions } from "./train-options.ts";

/** The net with its initial weights, and the data as it takes them. */
export interface Prepared<M extends ResNet | FastNet = ResNet | FastNet> {
  readonly name: ModelName | typeof FASTNET_KEY;
  readonly model: M;
  readonly data: Labelled;
  readonly validation: Labelled | undefined;
}

/** Nets for photographs, by their names. */
const LARGE = /^(resnet(18|34|50|101|152)|resnext50|wideResnet50)$/;

/** Open the weights if there are any, then the data, and build the net for the data's classes. */
export async function prepareTraining(options: TrainOptions, terminal: Terminal): Promise<Prepared> {
  if (options.recipe === "fast") return fromFastRecipe(options, terminal);
  const prepared = await (options.weights
    ? fromWeights(options.weights, options, terminal)
    : fromScratch(options, terminal));
  const { model, data } = prepared;
  model.labels = data.classes;
  if (options.freeze === "base") freeze(model.base);
  return prepared;
}

async function fromFastRecipe(options: TrainOptions, terminal: Terminal): Promise<Prepared> {
  const { data, validation } = await openTrainingData(options, { large: false }, terminal);
  manualSeed(options.seed);
  return { name: FASTNET_KEY, model: await fastNet(options, data), data, validation };
}

async function fromScratch(
  { model: name = "resnet20", ...options }: TrainOptions,
  terminal: Terminal,
): Promise<Prepared<ResNet>> {
  if (options.newHead) throw new Error("--new-head needs --weights, whose head is replaced.");
  const { data, validation } = await openTrainingData(options, { large: LARGE.test(name) }, terminal);
  manualSeed(options.seed);
  return { name, model: zoo[name](changesOf(options, data)), data, validation };
}

const fromWeights = (weights: string, options: TrainOptions, terminal: Terminal): Promise<Prepared<ResNet>> =>
  withWeights(weights, options, async (file, found) => {
    const name = options.model ?? found?.name;
    if (!name) throw new Error(`${weights} is no net of the zoo by its names; name the net with --model.`);
    const opened = await openTrainingData(options, { large: LARGE.test(name) }, terminal);
    const { classes } = opened.data;
    const keepsHead = found?.hasHead !== false && !options.newHead;
    if (keepsHead && found && found.options.classes !== classes.length) {
      throw new Error(
        `${weights} has ${found.options.classes} classes, and the data have ${classes.length}, ${few(classes)}. --new-head replaces its head.`,
      );
    }
    manualSeed(options.seed);
    const changes = changesOf(options, opened.data);
    const model = found ? new ResNet({ ...found.options, ...changes }) : zoo[name](changes);
    await loadCheckpoint(model, file, { head: keepsHead });
    const taken = (data: Labelled) => ({ ...preprocessed(data, model.preprocessing), labels: data.labels });
    const validation = opened.validation && taken(opened.validation);
    return { name, model, data: taken(opened.data), validation };
  });

/** Options of a net that the data and the command decide. */
const changesOf = ({ shortcut }: TrainOptions, { classes }: Labelled) => ({
  classes: classes.length,
  ...(shortcut && { shortcut }),
});

/** The net of the fast recipe, its first window fixed by the data. */
async function fastNet(
  { model, weights, shortcut, dataset }: TrainOptions,
  data: Labelled,
): Promise<FastNet> {
  if (model || weights || shortcut) {
    throw new Error(
      "--recipe fast trains a net of its own from scratch; leave --model, --weights and --shortcut out.",
    );
  }
  const [H, W, channels] = data.shape;
  if (H !== 32 || W !== 32 || channels !== 3)
    throw new Error(
      `--recipe fast takes images of 32 × 32 × 3, and those of ${dataset} are ${data.shape.join(" × ")}.`,
    );
  const net = new FastNet({ classes: data.classes.length });
  await whiten(net, data);
  return net;
}
