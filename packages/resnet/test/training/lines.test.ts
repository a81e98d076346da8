import type { Device } from "@shadegrad/tensor";
import { expect, it, vi } from "vitest";
import { duration, epochLine, speed } from "../../src/index.ts";
import { printEpochs, stepLine } from "../../src/training/lines.ts";

it("durations are read as on a clock", () => {
  expect([0, 59.6, 61, 3599, 4000, 360_000].map(duration)).toEqual([
    "0:00",
    "1:00",
    "1:01",
    "59:59",
    "1:06:40",
    "100:00:00",
  ]);
});

const epoch = {
  kind: "epoch",
  step: 20,
  steps: 60,
  epoch: 1,
  epochs: 3,
  loss: 1.5,
  accuracy: 0.5,
  seconds: 75,
} as const;
const step = {
  kind: "step",
  ...{ step: 20, epoch: 1, seconds: 75, loss: 1.5, accuracy: 0.5, lr: 0.1, imagesPerSecond: 12.34 },
} as const;

it("an epoch is a line", () => {
  expect(epochLine(epoch)).toBe("epoch 1/3: loss 1.5000, 50.00 % · 1:15");
  expect(epochLine({ ...epoch, validation: { loss: 1.25, top1: 0.625, top5: 1 } })).toBe(
    "epoch 1/3: loss 1.5000, 50.00 % · validation loss 1.2500, 62.50 % · 1:15",
  );
});

it("a speed has a decimal below 100", () => {
  expect([0.04, 12.34, 99.94, 100, 1234.5].map(speed)).toEqual([
    "0.0 images/s",
    "12.3 images/s",
    "99.9 images/s",
    "100 images/s",
    "1235 images/s",
  ]);
});

it("a step is a line with its launches and the memory in use", () => {
  const device = { counts: { launches: 7, bytes: 3 * 2 ** 20, freeBytes: 2 ** 20 } } as Device;
  expect(stepLine(step, device)).toBe(
    "step 20 (epoch 1): loss 1.500000 · rate 0.1 · 12.3 images/s · 7 launches, 2 of 3 MiB",
  );
});

it("epochs are printed to standard error where there is one, and steps are not", () => {
  const write = vi.fn();
  vi.stubGlobal("process", { stderr: { write } });
  try {
    printEpochs(epoch);
    printEpochs({ ...step, steps: 60, epochs: 3, part: 0.5, secondsLeft: undefined });
    vi.stubGlobal("process", undefined);
    printEpochs(epoch);
  } finally {
    vi.unstubAllGlobals();
  }
  expect(write.mock.calls).toEqual([[`${epochLine(epoch)}\n`]]);
});
