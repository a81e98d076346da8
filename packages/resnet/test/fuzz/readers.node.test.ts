import { expect, test } from "vitest";
import { fuzz } from "./readers.ts";

test("500 changed files are read or refused, at little cost", async () => {
  const { faults, files, read, refused } = await fuzz(500, 1);
  expect(faults.map(({ file, what }) => `${file}: ${what}`)).toEqual([]);
  // Some are read and some refused: if all were refused, nothing behind the first check would be tested.
  expect([files, Math.min(read, refused) > 50]).toEqual([500, true]);
});
