import type { Device } from "@shadegrad/tensor";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Batch } from "../../src/data/index.ts";
import { StepQueue } from "../../src/training/step-queue.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A queue on a device that finishes a step when it is told to. */
function queued() {
  const running: (() => void)[] = [];
  const launched: number[] = [];
  const device = { synchronize: () => new Promise<void>((resolve) => running.push(resolve)) };
  const queue = new StepQueue(device as unknown as Device, async (_, step) => void launched.push(step));
  return { queue, launched, finish: () => running.shift()!() };
}

const batch = {} as Batch;
const sums = { read: async () => ({ loss: 6, correct: 3, images: 8 }) };

/** True if a promise is settled once all work that waits for nothing is done. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(() => (done = true));
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  return done;
}

it("launches two steps ahead of the GPU, and no more", async () => {
  const { queue, launched, finish } = queued();
  expect(await isDone(queue.step(batch, 0))).toBe(true);
  expect(await isDone(queue.step(batch, 1))).toBe(true);
  const third = queue.step(batch, 2);
  expect(await isDone(third)).toBe(false);
  expect(launched).toEqual([0, 1, 2]);
  finish();
  expect(await isDone(third)).toBe(true);
});

it("reads the sums of all steps since the last read, with their seconds, when all are done", async () => {
  const { queue, finish } = queued();
  vi.advanceTimersByTime(5000); // a validation
  queue.startClock();
  await queue.step(batch, 0);
  await queue.step(batch, 1);
  expect(queue.unread).toBe(2);
  vi.advanceTimersByTime(2500);
  const read = queue.read(sums);
  expect(await isDone(read)).toBe(false);
  finish();
  finish();
  expect(await read).toEqual({ steps: 2, loss: 6, correct: 3, images: 8, seconds: 2.5 });
  expect(queue.unread).toBe(0);

  await queue.step(batch, 2);
  vi.advanceTimersByTime(500);
  finish();
  expect(await queue.read(sums)).toMatchObject({ steps: 1, seconds: 0.5 });
});

it("is due for a read a second after the last one", async () => {
  const { queue } = queued();
  queue.startClock();
  vi.advanceTimersByTime(999);
  expect(queue.isDue).toBe(false);
  vi.advanceTimersByTime(1);
  expect(queue.isDue).toBe(true);
  await queue.read(sums);
  expect(queue.isDue).toBe(false);
});
