import { isForLarge, zoo } from "@shadegrad/resnet";
import { init, type Precision, tune } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import type { Command } from "commander";
import { type ModelName, modelOption, precisionOption, whole } from "./arguments.ts";
import type { Common, Perform } from "./command.ts";
import { watch } from "./progress.ts";
import { INTERRUPTED, type Terminal } from "./terminal.ts";

interface TuneOptions extends Common {
  model: ModelName;
  size?: number;
  batch: number;
  training?: true;
  precision?: Precision;
}

export function addTune(program: Command, perform: Perform): void {
  program
    .command("tune")
    .summary("measure which kernels are the fastest here")
    .description(
      "For all that a net computes: measure which variants of the kernels are the fastest on this adapter, and remember them for later runs. Each is compared with a plain one first. Nothing else should compute meanwhile. Results may change in their last bits; a training that goes on after this is not, bit by bit, what it would have been.",
    )
    .addOption(modelOption().default("resnet50"))
    .option("--size <pixels>", "side of the image: 224, or 32 of CIFAR's nets, if absent", whole())
    .option("--batch <n>", "images at a time", whole(), 1)
    .option("--training", "for a step of training, in place of a prediction")
    .addOption(precisionOption())
    .action(perform(tuneNet));
}

async function tuneNet(terminal: Terminal, options: TuneOptions): Promise<number> {
  const { model: name, batch, training = false, precision = "f32", json } = options;
  const { signal } = terminal;
  const device = await init({ quiet: true, precision });
  const model = zoo[name]();
  const size = options.size ?? (isForLarge(model) ? 224 : 32);
  const what = `${name}, ${size}×${size} ×${batch}${training ? ", training" : ""}${precision === "f16" ? ", f16" : ""}`;
  terminal.note(`${what}\non ${device.name}`);
  const { onProgress, stop } = watch(terminal, "choices");
  const start = performance.now();
  const found = await tune(model, [[batch, size, size, 3]], {
    training,
    signal,
    onProgress(_, images, of) {
      onProgress?.({ images, of, imagesPerSecond: (1000 * images) / (performance.now() - start) });
    },
  }).finally(stop);
  dispose(model);
  const { adapter, rows, seconds, kept } = found;
  if (json) {
    terminal.print(
      JSON.stringify({ model: name, size, batch, training, precision, adapter, rows, seconds, kept }),
    );
  } else terminal.print(String(found));
  if (!kept) terminal.note("Nothing is kept for later runs: the cache cannot be written, or is turned off.");
  return signal.aborted ? INTERRUPTED : 0;
}
