import { expect, test } from "vitest";
import { quartiles } from "../quartiles.mjs";

test.each([
  [[7], [7, 7, 7]],
  [
    [9, 1],
    [1, 1, 1],
  ],
  [
    [4, 1, 3, 2],
    [1, 2, 3],
  ],
  [
    [10, 50, 20, 40, 30],
    [20, 30, 40],
  ],
  [
    [9, 8, 7, 6, 5, 4, 3, 2, 1],
    [3, 5, 7],
  ],
])("quartiles of %j are values of the sample, the lower of two", (values, expected) => {
  const before = [...values];
  expect(quartiles(values)).toEqual(expected);
  expect(values).toEqual(before);
});
