import { init } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { beforeAll, expect, it } from "vitest";
import { paperRecipe, shortRecipe } from "../../src/index.ts";
import { Small } from "./small.ts";

beforeAll(async () => {
  await init();
});

it("the paper's recipe is the paper's", () => {
  const model = new Small();
  const { steps, batchSize, schedule, augment, optimizer } = paperRecipe(model, { images: 50_000 });
  expect([steps, batchSize, augment]).toEqual([64_000, 128, { pad: 4, flip: true }]);
  const rates = [0, 31_999, 32_000, 47_999, 48_000, 63_999].map((step) =>
    Number(schedule!(step).toPrecision(6)),
  );
  expect(rates).toEqual([0.1, 0.1, 0.01, 0.01, 0.001, 0.001]);
  expect(optimizer.lr).toBe(0.1);
  dispose(model);
});

it("recipes scale to any length, down to one step", () => {
  const model = new Small();
  expect(paperRecipe(model, { images: 100, epochs: 2, batchSize: 32 }).steps).toBe(8);
  expect(shortRecipe(model, { images: 100, epochs: 2, batchSize: 32 }).steps).toBe(8);
  for (const recipe of [paperRecipe, shortRecipe]) {
    const { steps, schedule } = recipe(model, { images: 1, steps: 1 });
    expect(steps).toBe(1);
    expect(schedule!(0)).toBeGreaterThan(0);
  }
  const { schedule } = shortRecipe(model, { images: 6400, epochs: 1 });
  expect(Math.max(...Array.from({ length: 100 }, (_, step) => schedule!(step)))).toBeCloseTo(0.2);
  dispose(model);
});
