import { isForLarge, summary, zoo } from "@shadegrad/resnet";
import { init } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import type { Command } from "commander";
import { MODELS, type ModelName, model, shortcutOption, whole } from "./arguments.ts";
import { type Common, type Perform, printJson } from "./command.ts";
import type { NetOptions } from "./net.ts";
import type { Terminal } from "./terminal.ts";

interface SummaryOptions extends Common, Pick<NetOptions, "shortcut"> {
  input?: number;
  classes?: number;
}

export function addSummary(program: Command, perform: Perform): void {
  program
    .command("summary")
    .summary("list a net's layers and their cost")
    .description("List layers, shapes, parameters, multiply-adds and memory of a net.")
    .argument("<model>", `net of the zoo: ${MODELS.join(" ")}`, model)
    .option("--input <pixels>", "side of the image: 224, or 32 for CIFAR's nets, if absent", whole())
    .option("--classes <n>", "number of classes", whole())
    .addOption(shortcutOption("shortcuts where channels change; if absent, the net's own"))
    .action(perform(summarize));
}

async function summarize(
  terminal: Terminal,
  name: ModelName,
  { input, classes, shortcut, json }: SummaryOptions,
): Promise<undefined> {
  await init({ quiet: true });
  const net = zoo[name]({ ...(classes && { classes }), ...(shortcut && { shortcut }) });
  const side = input ?? (isForLarge(net) ? 224 : 32);
  const found = summary(net, [side, side, 3]);
  dispose(net);
  if (json) printJson(terminal, { model: name, ...found });
  else terminal.print(`${name}\n\n${found}`);
}
