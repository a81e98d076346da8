import { expect, it, vi } from "vitest";
import { restUntil } from "../../src/gpu/polling.ts";

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

it("sleeps once a turn while something is waited for, and not after it", async () => {
  const sleeps = vi.spyOn(Atomics, "wait");
  // Waits that follow one another, or run side by side, are served by one loop.
  for (let i = 0; i < 20; i++) await restUntil(Promise.resolve());
  await Promise.all([restUntil(nextTurn()), restUntil(nextTurn())]);
  let end: () => void = () => {};
  const work = restUntil(new Promise<void>((resolve) => (end = resolve)));
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
  expect(await restUntil(Promise.resolve(7))).toBe(7);
  await expect(restUntil(Promise.reject(new Error("lost")))).rejects.toThrow("lost");
});
