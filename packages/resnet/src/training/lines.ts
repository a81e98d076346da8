import type { Device } from "@shadegrad/tensor";
import type { ProgressEvent, StepRecord } from "./records.ts";

type EpochEvent = Extract<ProgressEvent, { kind: "epoch" }>;

/** Print a line per epoch to standard error, in Node; a page draws its own progress. */
export function printEpochs(event: ProgressEvent): void {
  const stderr = (globalThis as { process?: NodeJS.Process }).process?.stderr;
  if (event.kind === "epoch") stderr?.write(`${epochLine(event)}\n`);
}

/** One line about the last step, for `DEBUG=1`. */
export function stepLine({ step, epoch, loss, lr, imagesPerSecond }: StepRecord, { counts }: Device): string {
  const memory = `${Math.round((counts.bytes - counts.freeBytes) / 2 ** 20)} of ${Math.round(counts.bytes / 2 ** 20)} MiB`;
  return `step ${step} (epoch ${epoch}): loss ${loss.toFixed(6)} · rate ${lr} · ${speed(imagesPerSecond)} · ${counts.launches} launches, ${memory}`;
}

/** One line about an epoch. */
export function epochLine({ epoch, epochs, loss, accuracy, validation, seconds }: EpochEvent): string {
  const judged = validation
    ? ` · validation loss ${validation.loss.toFixed(4)}, ${percent(validation.top1)}`
    : "";
  return `epoch ${epoch}/${epochs}: loss ${loss.toFixed(4)}, ${percent(accuracy)}${judged} · ${duration(seconds)}`;
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** 12.3 as `12.3 images/s`, 1234 as `1234 images/s`. */
export const speed = (imagesPerSecond: number): string =>
  `${imagesPerSecond.toFixed(imagesPerSecond < 100 ? 1 : 0)} images/s`;

/** 75 s as `1:15`, 4000 s as `1:06:40`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
