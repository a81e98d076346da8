import { stat } from "node:fs/promises";
import { join } from "node:path";
import { onnxChunks } from "@shadegrad/resnet";
import { init } from "@shadegrad/tensor";
import { save } from "@shadegrad/tensor/formats";
import { dispose } from "@shadegrad/tensor/nn";
import { type Command, Option } from "commander";
import { modelOption, named, shortcutOption, weightsOption, whole } from "./arguments.ts";
import { bytes } from "./bars.ts";
import { type Common, type Perform, printJson } from "./command.ts";
import { type LoadedNet, type NetOptions, openNet } from "./net.ts";
import { checkOutputFile, checkOutputFolder } from "./paths.ts";
import { type TorchOptions, writeTorchFolder } from "./pytorch.ts";
import type { Terminal } from "./terminal.ts";

export function addExport(program: Command, perform: Perform): void {
  const choice = (flags: string, description: string, choices: readonly string[]) =>
    new Option(flags, description).choices(choices);
  program
    .command("export")
    .summary("write a net for other engines: ONNX, PyTorch")
    .description(
      "Write a net as an ONNX model of opset 17 with its weights, for any number of images of any size; or, with --pytorch, as a folder with its state dict and a script that trains it on several machines with torchrun. What that writes is read by convert and all other commands.",
    )
    .argument("[out]", "file to write, .onnx", named(".onnx"))
    .option("--pytorch <folder>", "write a folder for PyTorch instead")
    .addOption(modelOption())
    .addOption(weightsOption("the package's own or ImageNet's if absent"))
    .addOption(shortcutOption())
    .addOption(
      choice("--batch-norm <way>", "of ONNX: fold it into the convolutions, or keep it. fold if absent", [
        "fold",
        "keep",
      ]),
    )
    .addOption(
      choice("--recipe <name>", "of PyTorch: settings of the training. paper if absent", ["paper", "short"]),
    )
    .option(
      "--steps <n>",
      "of PyTorch: number of batches; the recipe's own for 50,000 images if absent",
      whole(),
    )
    .action(perform(exportNet));
}

interface ExportOptions extends NetOptions, Common, Partial<TorchOptions> {
  batchNorm?: "fold" | "keep";
  pytorch?: string;
}

async function exportNet(
  terminal: Terminal,
  to: string | undefined,
  options: ExportOptions,
  command: Command,
): Promise<undefined> {
  const { pytorch: folder } = options;
  if ((to === undefined) === (folder === undefined))
    command.error("either a file .onnx or --pytorch with a folder has to be named", USAGE_ERROR);
  refuseOthers(options, command);
  if (to !== undefined) await checkOutputFile("", to);
  else await checkOutputFolder("--pytorch", folder!);
  await init({ quiet: true });
  const net = await openNet(options, terminal);
  try {
    if (to !== undefined) await exportOnnx(terminal, to, net, options);
    else await exportTorch(terminal, folder!, net, options);
  } finally {
    dispose(net.model);
  }
}

/** Refuse options of the other format. */
function refuseOthers({ pytorch, batchNorm, recipe, steps }: ExportOptions, command: Command): void {
  const [format, others] = pytorch
    ? ["PyTorch", { "--batch-norm": batchNorm }]
    : ["ONNX", { "--recipe": recipe, "--steps": steps }];
  for (const [name, value] of Object.entries(others))
    if (value !== undefined)
      command.error(`option '${name}' cannot be used with ${format}: it is of the other format`, USAGE_ERROR);
}

const USAGE_ERROR = { code: "shadegrad.export" };

async function exportOnnx(
  terminal: Terminal,
  out: string,
  net: LoadedNet,
  { batchNorm = "fold", json }: ExportOptions,
): Promise<void> {
  await save(out, onnxChunks(net.model, { batchNorm, metadata: notes(net) }));
  const { size } = await stat(out);
  const { name: model, weights } = net;
  if (json) printJson(terminal, { model, weights, out, batchNorm, bytes: size });
  else terminal.print(`${out}: ${model} with the weights ${weights}, ${bytes(size)}.`);
}

async function exportTorch(
  terminal: Terminal,
  out: string,
  net: LoadedNet,
  { recipe = "paper", steps, json }: ExportOptions,
): Promise<void> {
  const { rates, batchSize } = await writeTorchFolder(out, net, { recipe, steps });
  const count = rates.reduce((sum, [steps]) => sum + steps, 0);
  const { name: model, weights } = net;
  if (json) {
    printJson(terminal, { model, weights, out, recipe, steps: count, batchSize });
    return;
  }
  const many = count.toLocaleString("en");
  terminal.print(`${out}: ${model} with the weights ${weights}, and ${many} steps of ${batchSize} to train.`);
  terminal.print(`torchrun --nproc_per_node 2 ${join(out, "train.py")} --data FOLDER`);
}

/** Names of the classes, if the weights name them, and the preprocessing. */
function notes({ labels, hasOwnLabels, preprocessing }: LoadedNet): Record<string, string> {
  return {
    ...(hasOwnLabels && { labels: JSON.stringify(labels) }),
    ...(preprocessing && { preprocessing: JSON.stringify(preprocessing) }),
  };
}
