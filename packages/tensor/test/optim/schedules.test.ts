import { describe, expect, it } from "vitest";
import { cosine, multiStep, oneCycle, warmup } from "../../src/optim/index.ts";

const over = (schedule: (step: number) => number, ...steps: number[]) =>
  steps.map((step) => Number(schedule(step).toPrecision(6)));

describe("schedules", () => {
  it("cosine goes from lr to min and stays there", () => {
    expect(over(cosine({ lr: 1, steps: 10, min: 0.2 }), 0, 5, 10, 11, 1000)).toEqual([1, 0.6, 0.2, 0.2, 0.2]);
  });

  it("multiStep drops at its milestones", () => {
    expect(over(multiStep({ lr: 1, milestones: [2, 4] }), 0, 1, 2, 3, 4, 99)).toEqual([
      1, 1, 0.1, 0.1, 0.01, 0.01,
    ]);
    expect(over(multiStep({ lr: 1, milestones: [] }), 0, 99)).toEqual([1, 1]);
  });

  it("oneCycle rises and falls, in lines if asked to", () => {
    const options = { lr: 1, steps: 11, pctStart: 6 / 11, divFactor: 10, finalDivFactor: 100 };
    const line = oneCycle({ ...options, anneal: "linear" });
    expect(over(line, 0, 5, 10, 99)).toEqual([0.1, 1, 0.001, 0.001]);
    expect(line(1)).toBeCloseTo(0.28, 10);
    expect(over(oneCycle(options), 0, 5, 10)).toEqual([0.1, 1, 0.001]);
  });

  it("oneCycle has no step that divides by nothing", () => {
    for (const pctStart of [0, 0.1, 1])
      for (let step = 0; step < 10; step++) {
        expect(oneCycle({ lr: 1, steps: 10, pctStart })(step)).toBeGreaterThanOrEqual(0);
      }
    expect(oneCycle({ lr: 1, steps: 1 })(0)).toBeGreaterThan(0);
  });

  it("warmup leads in a line to another schedule", () => {
    const schedule = warmup(multiStep({ lr: 1, milestones: [2] }), { steps: 3 });
    expect(over(schedule, 0, 1, 2, 3, 4, 5)).toEqual([0.25, 0.5, 0.75, 1, 1, 0.1]);
    expect(
      over(
        warmup(() => 2, { steps: 2, start: 0.5 }),
        0,
        1,
        2,
      ),
    ).toEqual([1, 1.5, 2]);
  });

  it("says what is wrong", () => {
    expect(() => cosine({ lr: -1, steps: 5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: cosine: lr is -1, not a number ≥ 0.]`,
    );
    expect(() => cosine({ lr: 1, steps: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: cosine: steps is 0, not a number above 0.]`,
    );
    expect(() => multiStep({ lr: 1, milestones: [5, 3] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: multiStep: milestones are [5,3], not ascending numbers ≥ 0.]`,
    );
    expect(() => oneCycle({ lr: 1, steps: 5, pctStart: 30 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: oneCycle: pctStart is 30, not in [0, 1].]`,
    );
  });
});
