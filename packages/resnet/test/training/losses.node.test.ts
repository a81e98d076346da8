import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lossesOf, type RunName, runs, STEPS } from "./recorded-runs.ts";

interface Recorded {
  readonly adapter: string;
  readonly commit: string;
  readonly losses: Record<RunName, number[]>;
}

/** By `node scripts/fixtures/losses.mjs`. */
const { adapter, commit, losses }: Recorded = JSON.parse(
  readFileSync(new URL("losses.json", import.meta.url), "utf8"),
);

/*
 * Adapters round differently, and training multiplies what they differ by. Two trainings on llvmpipe have the same bits.
 * Between llvmpipe and SwiftShader (2026-11-28) the relative differences of losses are at most
 *
 *   recipe   each of steps 1 to 5   mean of steps 11 to 20   other means of ten steps
 *   paper          6e-8                    1.0e-4                     0.057
 *   short          5e-8                    1.6e-4                     0.0076
 *   fast           9e-8                    1e-7                       0.0018
 *
 * Allowed are 1e-4 in each of the first five steps, where a changed setting shows, ten times as much in the mean of the first
 * ten, and three times the last column afterwards. The variants of a GPU add in another order. On llvmpipe their first five losses
 * differ from the rasteriser's by 3e-5 in paper and by 1e-7 in the others. No GPU was compared.
 */
const FIRST = { steps: 5, most: 1e-4 };
const MOST: Record<RunName, number> = { paper: 0.17, short: 0.023, fast: 0.0054 };
const TEN = 10;

const relative = (found: number, expected: number) => Math.abs(found - expected) / expected;
const means = (values: readonly number[]) =>
  Array.from({ length: STEPS / TEN }, (_, i) =>
    values.slice(TEN * i, TEN * (i + 1)).reduce((sum, value) => sum + value / TEN, 0),
  );

describe(`losses recorded on ${adapter}, at ${commit}`, () => {
  it.each(Object.keys(runs) as RunName[])("of the recipe %s come again", async (name) => {
    const expected = losses[name];
    const found = await lossesOf(name);
    expect([found.length, expected.length]).toEqual([STEPS, STEPS]);
    for (const [i, loss] of found.slice(0, FIRST.steps).entries())
      expect(relative(loss, expected[i]!), `step ${i + 1}: ${loss}, not ${expected[i]}`).toBeLessThan(
        FIRST.most,
      );
    const recorded = means(expected);
    for (const [i, mean] of means(found).entries())
      expect(
        relative(mean, recorded[i]!),
        `steps ${TEN * i + 1} to ${TEN * (i + 1)}: ${mean}, not ${recorded[i]}`,
      ).toBeLessThan(i === 0 ? 10 * FIRST.most : MOST[name]);
    expect(recorded.at(-1)!, "it learns").toBeLessThan(0.8 * recorded[0]!);
  });
});
