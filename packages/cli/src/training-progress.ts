import { duration, epochLine, type ProgressEvent, speed } from "@shadegrad/resnet";
import { Presets, SingleBar } from "cli-progress";
import { percent } from "./bars.ts";
import type { Terminal } from "./terminal.ts";

/** Shows a training, and leaves the terminal as it was once it is stopped. */
export interface TrainingProgress {
  readonly onProgress: (event: ProgressEvent) => void;
  readonly stop: () => void;
}

type StepEvent = Extract<ProgressEvent, { kind: "step" }>;

/** A line per epoch and, in a terminal, a bar for the epoch that runs. */
export function trainingProgress({ note, watched }: Terminal): TrainingProgress {
  let bar: SingleBar | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  const show = (part: number, title: string, state: string) => {
    if (!watched) return;
    if (bar) return bar.update(part, { title, state });
    bar = new SingleBar(BAR, Presets.shades_classic);
    bar.start(1, part, { title, state });
  };
  const onProgress = (event: ProgressEvent) => {
    const title = `epoch ${event.epoch}`;
    if (event.kind === "step") show(event.part, `${title}/${event.epochs}`, stepState(event));
    else if (event.kind === "validation") {
      show(event.images / event.of, `${title} validated`, `${event.images} of ${event.of} images`);
    } else {
      stop();
      note(epochLine(event));
    }
  };
  return { onProgress, stop };
}

/** 80 columns in all. */
const BAR = { format: "{title} {bar} {state}", clearOnComplete: true, hideCursor: true, barsize: 12 };

function stepState({ loss, accuracy, imagesPerSecond, secondsLeft }: StepEvent): string {
  const left = secondsLeft === undefined ? "" : ` · ${duration(secondsLeft)} left`;
  return `loss ${loss.toFixed(4)} · ${percent(accuracy, 2).trim()} · ${speed(imagesPerSecond)}${left}`;
}
