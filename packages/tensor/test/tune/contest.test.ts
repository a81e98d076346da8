import { expect, it } from "vitest";
import { type Clock, contest } from "../../src/tune/contest.ts";

/** A clock on which each variant takes what `script` says for its nth reading. */
function scripted(script: Record<string, (reading: number) => number>) {
  const readings = new Map<string, number>();
  const runs: Record<string, number[]> = {};
  const clock: Clock = async (variant, count) => {
    const reading = readings.get(variant) ?? 0;
    readings.set(variant, reading + 1);
    runs[variant] = [...(runs[variant] ?? []), count];
    return script[variant]!(reading);
  };
  return { clock, runs };
}

/** Readings of the first heat: the one by which the hopeless are found, and seven batches. */
const FIRST_HEAT = 8;
/** Deviations of readings from a variant's time, as a busy machine has them. */
const NOISE = [0.1, -0.05, 0.02, -0.1, 0.07, 0, -0.08, 0.04, 0.09, -0.02, 0.05, -0.07, 0.03, -0.04, 0.06];
const noisy = (time: number, at: number) => (reading: number) =>
  time * (1 + NOISE[(reading + at) % NOISE.length]!);
const winnerOf = async (script: Record<string, (reading: number) => number>) =>
  (await contest(Object.keys(script), "own", scripted(script).clock)).winner;

it("a variant that is faster every time is taken", async () => {
  expect(await winnerOf({ own: () => 1000, other: () => 900 })).toBe("other");
  expect(await winnerOf({ own: noisy(1000, 0), other: noisy(700, 4) })).toBe("other");
});

it("a variant that is as fast is not, whatever the noise", async () => {
  for (let at = 0; at < NOISE.length; at++) {
    expect(await winnerOf({ own: noisy(1000, 0), other: noisy(1000, at) })).toBe("own");
    expect(await winnerOf({ own: noisy(1000, 0), other: noisy(980, at) })).toBe("own");
  }
  expect(await winnerOf({ own: () => 1000, other: () => 975 })).toBe("own");
});

it("a variant that wins once and not again is not taken", async () => {
  const disturbed = (reading: number) => (reading < FIRST_HEAT ? 181_000 : 1000);
  expect(await winnerOf({ own: disturbed, other: () => 1000 })).toBe("own");
  expect(await winnerOf({ own: () => 1000, other: (n) => (n < FIRST_HEAT ? 500 : 1000) })).toBe("own");
});

it("the one in place is not given up for a slow first run, nor a rounded clock's zero", async () => {
  const { winner, times } = await contest(
    ["other", "own"],
    "own",
    scripted({ own: (n) => (n === 0 ? 50_000 : 1000), other: () => 1100 }).clock,
  );
  expect(winner).toBe("own");
  expect(times).toEqual([
    { variant: "own", microseconds: 1000 },
    { variant: "other", microseconds: 1100 },
  ]);
  expect(await winnerOf({ own: (n) => (n === 0 ? 0 : 90), other: (n) => (n === 0 ? 100 : 30) })).toBe(
    "other",
  );
});

it("one disturbed batch of seven decides nothing", async () => {
  const hiccup = (time: number, at: number) => (n: number) => (n % FIRST_HEAT === at ? 40 * time : time);
  expect(await winnerOf({ own: hiccup(1000, 3), other: hiccup(800, 5) })).toBe("other");
  expect(await winnerOf({ own: hiccup(1000, 3), other: () => 1000 })).toBe("own");
});

it("hopeless variants run once, and each batch takes about ten milliseconds", async () => {
  const { clock, runs } = scripted({ own: () => 1000, slow: () => 3100, near: () => 2500 });
  const { winner, times } = await contest(["near", "slow", "own"], "own", clock);
  expect(winner).toBe("own");
  expect(runs).toEqual({ own: [1, ...Array(7).fill(10)], near: [1, ...Array(7).fill(4)], slow: [1] });
  expect(times.map(({ variant }) => variant)).toEqual(["own", "near", "slow"]);
});

it("a variant alone is timed once", async () => {
  expect(await contest(["own"], "own", scripted({ own: () => 5 }).clock)).toEqual({
    winner: "own",
    times: [{ variant: "own", microseconds: 5 }],
  });
});
