import { expect, it, vi } from "vitest";
import { restFor, sleepUntil } from "../../src/gpu/polling.ts";

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

it("sleeps once a turn while something is waited for, and not after it", async () => {
  const sleeps = vi.spyOn(Atomics, "wait");
  // One loop serves waits that follow one another, and waits that run concurrently.
  for (let i = 0; i < 20; i++) await sleepUntil(Promise.resolve());
  await Promise.all([sleepUntil(nextTurn()), sleepUntil(nextTurn())]);
  let end: () => void = () => {};
  const work = sleepUntil(new Promise<void>((resolve) => (end = resolve)));
  await nextTurn();
  sleeps.mockClear();
  for (let i = 0; i < 10; i++) await nextTurn();
  expect(sleeps.mock.calls.length).toBeGreaterThanOrEqual(9);
  expect(sleeps.mock.calls.length).toBeLessThanOrEqual(11);
  expect(sleeps.mock.calls.every(([, , , milliseconds]) => milliseconds! <= 1)).toBe(true);
  end();
  await work;
  await nextTurn();
  sleeps.mockClear();
  for (let i = 0; i < 5; i++) await nextTurn();
  expect(sleeps).not.toHaveBeenCalled();
});

it("hands on what it waits for", async () => {
  expect(await sleepUntil(Promise.resolve(7))).toBe(7);
  await expect(sleepUntil(Promise.reject(new Error("lost")))).rejects.toThrow("lost");
});

it("submits nothing meanwhile where that is when work is looked for, every millisecond and then less often", async () => {
  vi.useFakeTimers();
  try {
    const submit = vi.fn();
    let end: () => void = () => {};
    const work = restFor("submitted", false, { submit })(new Promise<void>((resolve) => (end = resolve)));
    await vi.advanceTimersByTimeAsync(20);
    expect(submit).toHaveBeenCalledTimes(20);
    expect(submit).toHaveBeenCalledWith([]);
    await vi.advanceTimersByTimeAsync(980);
    // A quarter longer each time: log(1000 / 20) / log(1.25) = 17.5
    expect(submit.mock.calls.length).toBeGreaterThan(30);
    expect(submit.mock.calls.length).toBeLessThan(40);
    end();
    await work;
    submit.mockClear();
    await vi.advanceTimersByTimeAsync(1000);
    expect(submit).not.toHaveBeenCalled();
  } finally {
    vi.useRealTimers();
  }
});
