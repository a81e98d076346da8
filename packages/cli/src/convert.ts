import { ResNet, type ResNetOptions, saveCheckpoint } from "@shadegrad/resnet";
import { init } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import type { Command } from "commander";
import { modelOption, named, shortcutOption } from "./arguments.ts";
import { type Common, type Perform, printJson } from "./command.ts";
import { type NetOptions, openNet } from "./net.ts";
import { checkOutputFile } from "./paths.ts";
import type { Terminal } from "./terminal.ts";

export function addConvert(program: Command, perform: Perform): void {
  program
    .command("convert")
    .summary("convert a net's weights to safetensors")
    .description(
      "Read any checkpoint of a ResNet (safetensors, PyTorch, TensorFlow.js) and write it as safetensors with PyTorch's layouts and torchvision's names.",
    )
    .argument("<in>", "file to read; for TensorFlow.js, model.json")
    .argument("<out>", "file to write, .safetensors", named(".safetensors"))
    .addOption(modelOption("net of the zoo, if the file does not show it"))
    .addOption(shortcutOption())
    .action(perform(convert));
}

/** Keys that saveCheckpoint writes itself. */
const OWN = new Set(["format", "resnet", "preprocessing", "labels"]);

async function convert(
  terminal: Terminal,
  from: string,
  to: string,
  { json, ...options }: Common & NetOptions,
): Promise<undefined> {
  await checkOutputFile("", to);
  await init({ quiet: true });
  const { model, name, preprocessing, file } = await openNet({ ...options, weights: from }, terminal);
  const { format, tensors, metadata } = file;
  const kept = [...metadata].filter(([key]) => !OWN.has(key));
  await saveCheckpoint(model, to, { preprocessing, metadata: Object.fromEntries(kept) });
  dispose(model);
  const unlike = model instanceof ResNet ? differences(model.options) : [];
  if (json) {
    printJson(terminal, {
      ...{ model: name, format, tensors: tensors.size },
      ...{ out: to, unlikeTorchvision: unlike },
    });
    return;
  }
  terminal.print(`${to}: ${name}, ${tensors.size} tensors, from ${format}.`);
  if (unlike.length > 0)
    terminal.print(`Unlike torchvision's of that name, this net has ${unlike.join(" and ")}.`);
}

/** Differences from torchvision's net of that name, which prevent loading there. */
function differences({
  bias,
  bottlenecks,
  strideAt,
  shortcut,
  firstKernelSize = 7,
}: ResNetOptions): string[] {
  if (firstKernelSize < 7) return []; // torchvision has no nets for CIFAR
  return [
    ...(bias ? ["biases in its convolutions"] : []),
    ...(bottlenecks && strideAt === 1 ? ["the stride at the first convolution of a bottleneck"] : []),
    ...(shortcut && shortcut !== "projection" ? ["shortcuts without weights"] : []),
  ];
}
