import { expect, test } from "vitest";
import { totalsOf } from "../scripts/test/totals.mjs";

const whole = { projects: { node: { passed: 5, failed: 0, skipped: 2 } }, errors: 0 };
const embedded = { projects: { node: { passed: 3, failed: 1, skipped: 0 } }, errors: 1 };

test("a run's totals are its projects'", () => {
  expect(totalsOf([["whole", whole]])).toEqual({
    failed: 0,
    lines: ["node: 5 passed, 0 failed, 2 skipped", "5 passed, 0 failed"],
  });
});

test("the totals of two runs are their sums", () => {
  const { failed, lines } = totalsOf([
    ["whole", whole],
    ["embedded", embedded],
  ]);
  expect(failed).toBe(2);
  expect(lines).toEqual([
    "whole run, node: 5 passed, 0 failed, 2 skipped",
    "embedded run, node: 3 passed, 1 failed, 0 skipped",
    "embedded run, outside of tests: 1 failed",
    "8 passed, 2 failed",
  ]);
});

test("a run that did not get to its end is a failure", () => {
  const { failed, lines } = totalsOf([
    ["whole", whole],
    ["embedded", undefined],
  ]);
  expect(failed).toBe(1);
  expect(lines.at(-1)).toBe("5 passed, 1 failed");
});
