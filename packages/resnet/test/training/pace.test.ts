import { expect, it } from "vitest";
import { Pace } from "../../src/training/pace.ts";

const sums = { steps: 4, loss: 64, correct: 8, images: 32, seconds: 0.5 };

it("is of the steps since the last record, by the second", () => {
  const pace = new Pace();
  pace.add(sums);
  pace.add({ ...sums, loss: 32, correct: 24, seconds: 1.5 });
  expect(pace.means()).toEqual({ loss: 1.5, accuracy: 0.5, imagesPerSecond: 32 });
  pace.reset();
  pace.add({ ...sums, seconds: 0.25 });
  expect(pace.means()).toEqual({ loss: 2, accuracy: 0.25, imagesPerSecond: 128 });
});

it("tells the time left without the first read, which waits for shaders", () => {
  const pace = new Pace();
  expect(pace.secondsFor(10, 0)).toBeUndefined();
  pace.add({ ...sums, seconds: 60 });
  expect(pace.secondsFor(10, 0)).toBeUndefined();
  pace.add({ ...sums, seconds: 2 });
  pace.reset();
  pace.add({ ...sums, steps: 2, seconds: 4 });
  expect(pace.secondsFor(10, 0)).toBe(10);
  pace.validationSeconds = 3;
  expect(pace.secondsFor(10, 2)).toBe(16);
});
