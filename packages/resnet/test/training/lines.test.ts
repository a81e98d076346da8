import { expect, it } from "vitest";
import { duration, epochLine } from "../../src/index.ts";

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

it("an epoch is a line", () => {
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
  expect(epochLine(epoch)).toBe("epoch 1/3: loss 1.5000, 50.00 % · 1:15");
  expect(epochLine({ ...epoch, validation: { loss: 1.25, top1: 0.625, top5: 1 } })).toBe(
    "epoch 1/3: loss 1.5000, 50.00 % · validation loss 1.2500, 62.50 % · 1:15",
  );
});
