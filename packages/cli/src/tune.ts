import { isForLarge, zoo } from "@shadegrad/resnet";
import { init, type Precision, tune } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import type { Command } from "commander";
import { type ModelName, modelOption, precisionOption, whole } from "./arguments.ts";
import { type Common, type Perform, printJson } from "./command.ts";
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
    .summary("find the fastest kernels for this adapter")
    .description(
      "Time the variants of all kernels that a net launches on this adapter, and keep the fastest for later runs. Each variant is compared with the plain one first. Nothing else should compute meanwhile. The last bits of results may change; a training resumed after this is not, bit by bit, the same.",
    )
    .addOption(modelOption().default("resnet50"))
    .option("--size <pixels>", "side of the image: 224, or 32 for CIFAR's nets, if absent", whole())
    .option("--batch <n>", "images per batch", whole(), 1)
    .option("--training", "tune a training step instead of a prediction")
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
    printJson(terminal, { model: name, size, batch, training, precision, adapter, rows, seconds, kept });
  } else terminal.print(String(found));
  if (!kept) terminal.note("Nothing is kept for later runs: the cache is not writable, or turned off.");
  return signal.aborted ? INTERRUPTED : 0;
}
