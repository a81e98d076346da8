import type { Device } from "@shadegrad/tensor";
import type { ProgressEvent, StepRecord } from "./records.ts";

/** What is used of cli-progress. */
interface Bar {
  start(total: number, value: number, payload: object): void;
  update(value: number, payload: object): void;
  stop(): void;
}

/**
 * Shows a training in the terminal: a bar for each epoch, or where there is no terminal a line; in a browser, nothing.
 */
export function terminalProgress(): (event: ProgressEvent) => void {
  const { process } = globalThis as { process?: NodeJS.Process };
  if (!process?.stderr) return () => {};
  const write = (line: string) => process.stderr.write(`${line}\n`);
  if (!process.stderr.isTTY) return (event) => event.kind === "epoch" && write(epochLine(event));

  let bar: Bar | undefined;
  let making: Promise<void> | undefined;
  const make = async () => {
    const name = "cli-progress"; // a variable, so that no bundler follows it into the browser
    const { default: progress } = (await import(/* @vite-ignore */ name)) as typeof import("cli-progress") & {
      default: typeof import("cli-progress");
    };
    const format = "{title} {bar} {state}";
    bar = new progress.SingleBar(
      { format, clearOnComplete: true, hideCursor: true, barsize: 24 },
      progress.Presets.shades_classic,
    );
    bar.start(1, 0, { title: "", state: "" });
  };
  return (event) => {
    if (event.kind === "epoch") {
      bar?.stop();
      bar = making = undefined;
      write(epochLine(event));
      return;
    }
    making ??= make();
    if (event.kind === "step")
      bar?.update(event.part, { title: `epoch ${event.epoch}/${event.epochs}`, state: stepState(event) });
    else
      bar?.update(event.images / event.of, {
        title: `epoch ${event.epoch} judged`,
        state: `${event.images} of ${event.of} images`,
      });
  };
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
