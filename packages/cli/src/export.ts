import { stat } from "node:fs/promises";
import { onnxChunks } from "@shadegrad/resnet";
import { init } from "@shadegrad/tensor";
import { save } from "@shadegrad/tensor/formats";
import { dispose } from "@shadegrad/tensor/nn";
import { type Command, Option } from "commander";
import { modelOption, named, shortcutOption, weightsOption } from "./arguments.ts";
import { bytes } from "./bars.ts";
import { type Common, type Perform, printJson } from "./command.ts";
import { type LoadedNet, type NetOptions, openNet } from "./net.ts";
import { checkOutputFile } from "./paths.ts";
import type { Terminal } from "./terminal.ts";

export function addExport(program: Command, perform: Perform): void {
  program
    .command("export")
    .summary("write a net for other engines, as ONNX")
    .description(
      "Write a net as an ONNX model of opset 17 with its weights, for any number of images of any size.",
    )
    .argument("<out>", "file to write, .onnx", named(".onnx"))
    .addOption(modelOption())
    .addOption(weightsOption("the package's own or ImageNet's if absent"))
    .addOption(shortcutOption())
    .addOption(
      new Option("--batch-norm <way>", "fold it into the convolutions, or keep it. fold if absent").choices([
        "fold",
        "keep",
      ]),
    )
    .action(perform(exportNet));
}

interface ExportOptions extends NetOptions, Common {
  batchNorm?: "fold" | "keep";
}

async function exportNet(
  terminal: Terminal,
  to: string,
  { json, batchNorm = "fold", ...options }: ExportOptions,
): Promise<undefined> {
  await checkOutputFile("", to);
  await init({ quiet: true });
  const net = await openNet(options, terminal);
  await save(to, onnxChunks(net.model, { batchNorm, metadata: notes(net) }));
  dispose(net.model);
  const { size } = await stat(to);
  if (json) printJson(terminal, { model: net.name, weights: net.weights, out: to, batchNorm, bytes: size });
  else terminal.print(`${to}: ${net.name} with the weights ${net.weights}, ${bytes(size)}.`);
}

/** Names of the classes, if the weights name them, and the preprocessing. */
function notes({ labels, hasOwnLabels, preprocessing }: LoadedNet): Record<string, string> {
  return {
    ...(hasOwnLabels && { labels: JSON.stringify(labels) }),
    ...(preprocessing && { preprocessing: JSON.stringify(preprocessing) }),
  };
}
