import type { Device } from "@shadegrad/tensor";
import type { SingleBar } from "cli-progress";
import type { ProgressEvent, StepRecord } from "./records.ts";

/** Shows a training, and leaves the terminal as it was once it is stopped. */
export interface TerminalProgress {
  readonly onProgress: (event: ProgressEvent) => void;
  readonly stop: () => void;
}

/** A bar for each epoch in the terminal; where there is none, a line; in a browser, nothing. */
export function terminalProgress(): TerminalProgress {
  const stderr = (globalThis as { process?: NodeJS.Process }).process?.stderr;
  if (!stderr) return { onProgress: () => {}, stop: () => {} };
  const write = (line: string) => stderr.write(`${line}\n`);
  if (!stderr.isTTY) {
    return { onProgress: (event) => event.kind === "epoch" && write(epochLine(event)), stop: () => {} };
  }

  let make: (() => SingleBar) | undefined;
  const name = "cli-progress"; // a variable, so that no bundler follows it into the browser
  import(/* @vite-ignore */ name).then(({ default: bars }: { default: typeof import("cli-progress") }) => {
    const format = "{title} {bar} {state}";
    const options = { format, clearOnComplete: true, hideCursor: true, barsize: 12 }; // 80 columns, all in all
    make = () => new bars.SingleBar(options, bars.Presets.shades_classic);
  });
  let bar: SingleBar | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  const show = (part: number, title: string, state: string) => {
    if (!bar) {
      bar = make?.();
      bar?.start(1, part, { title, state });
    } else bar.update(part, { title, state });
  };
  const onProgress = (event: ProgressEvent) => {
    const title = `epoch ${event.epoch}`;
    if (event.kind === "step") show(event.part, `${title}/${event.epochs}`, stepState(event));
    else if (event.kind === "validation") {
      show(event.images / event.of, `${title} judged`, `${event.images} of ${event.of} images`);
    } else {
      stop();
      write(epochLine(event));
    }
  };
  return { onProgress, stop };
}

type Step = Extract<ProgressEvent, { kind: "step" }>;
type Epoch = Extract<ProgressEvent, { kind: "epoch" }>;

function stepState({ loss, accuracy, imagesPerSecond, secondsLeft }: Step): string {
  const left = secondsLeft === undefined ? "" : ` · ${duration(secondsLeft)} left`;
  return `loss ${loss.toFixed(4)} · ${percent(accuracy)} · ${rate(imagesPerSecond)}${left}`;
}

/** One line about the step before, for those who debug. */
export function stepLine({ step, epoch, loss, lr, imagesPerSecond }: StepRecord, { counts }: Device): string {
  const memory = `${Math.round((counts.bytes - counts.freeBytes) / 2 ** 20)} of ${Math.round(counts.bytes / 2 ** 20)} MiB`;
  return `step ${step} (epoch ${epoch}): loss ${loss.toFixed(6)} · rate ${lr} · ${rate(imagesPerSecond)} · ${counts.launches} launches, ${memory}`;
}

/** One line about an epoch. */
export function epochLine({ epoch, epochs, loss, accuracy, validation, seconds }: Epoch): string {
  const judged = validation
    ? ` · validation loss ${validation.loss.toFixed(4)}, ${percent(validation.top1)}`
    : "";
  return `epoch ${epoch}/${epochs}: loss ${loss.toFixed(4)}, ${percent(accuracy)}${judged} · ${duration(seconds)}`;
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const rate = (imagesPerSecond: number): string =>
  `${imagesPerSecond.toFixed(imagesPerSecond < 100 ? 1 : 0)} images/s`;

/** 75 s as `1:15`, 4000 s as `1:06:40`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
