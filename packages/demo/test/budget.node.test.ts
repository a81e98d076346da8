import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BUDGET } from "../../../scripts/demo/budget.mjs";
import { SIZE } from "../../../scripts/demo/build.mjs";
import { withPage } from "./page.ts";

withPage();

test("the first view's scripts are within their budget; the build prints each", () => {
  expect(JSON.parse(readFileSync(SIZE, "utf8"))).toBeLessThanOrEqual(BUDGET);
});
