import { existsSync } from "node:fs";
import { join } from "node:path";
import { duration, ImageSet, ResNet, SettingsError, type TrainResult, train } from "@shadegrad/resnet";
import { init } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import type { Command } from "commander";
import { columns, percent } from "./bars.ts";
import { type Perform, printJson } from "./command.ts";
import { checkOutputFolder } from "./paths.ts";
import { changedRecipe, OWN_SCHEDULE } from "./recipe.ts";
import { disagreement } from "./resume.ts";
import { INTERRUPTED, type Terminal } from "./terminal.ts";
import { type Prepared, prepareTraining } from "./train-net.ts";
import { addTrainOptions, type TrainOptions } from "./train-options.ts";
import { trainingProgress } from "./training-progress.ts";

export function addTrain(program: Command, perform: Perform): void {
  const command = program
    .command("train")
    .summary("train a net, or resume a training")
    .description(
      "Train a net. The --out folder gets the weights, a checkpoint after each epoch, metrics and a report with curves. Ctrl-C ends the training with a checkpoint. The same command with --resume continues from it; on the same adapter it reaches the same weights, bit by bit, as an uninterrupted training.",
    );
  addTrainOptions(command);
  command.action(perform(trainNet));
}

async function trainNet(terminal: Terminal, options: TrainOptions): Promise<number> {
  const { dataset, out, seed, json } = options;
  await checkOutput(options, terminal);
  const device = await init({ quiet: true, precision: options.precision });
  const { name, model, data, validation } = await prepareTraining(options, terminal);
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

async function checkOutput({ out, resume }: TrainOptions, terminal: Terminal): Promise<void> {
  await checkOutputFolder("--out", out);
  const isBegun = existsSync(join(out, "checkpoint.safetensors"));
  if (resume && !isBegun)
    terminal.note(`--out ${out} has no checkpoint to resume: the training begins from scratch.`);
  if (resume || !isBegun) return;
  throw new Error(
    `--out ${out} has the checkpoint of a training already. Continue it with --resume, or name another folder.`,
  );
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
