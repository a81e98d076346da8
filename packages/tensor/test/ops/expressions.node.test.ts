import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

// WGSL leaves NaN to the driver in max, min, clamp and comparisons. ops/nan.ts has expressions that do not.

const SOURCES = new URL("../../src/", import.meta.url);
const bare =
  /(?<!Math\.)\b(max|min|clamp)\((\$\{|[abcsty]\b)|(\}|\b[abcst]) (!=|==|<=?|>=?) (\$\{|Vec\(|[abcst]\b)/;
/** Operands that are no floats, or a test of bits in the same line. */
const allowed = /orNan\(|isNan\(|\/\/ no NaN: ./;

const isBare = (line: string): boolean => /[`"]/.test(line) && bare.test(line) && !allowed.test(line);

test("WGSL in tensor compares, and takes extremes, by the expressions of ops/nan.ts", () => {
  const paths = readdirSync(SOURCES, { recursive: true }).map(String);
  const found = paths
    .filter((path) => path.endsWith(".ts") && path !== "ops/nan.ts")
    .flatMap((path) => {
      const lines = readFileSync(new URL(path, SOURCES), "utf8").split("\n");
      return lines.filter(isBare).map((line) => `${path}: ${line.trim()}`);
    });
  expect(paths.length).toBeGreaterThan(30);
  expect(found).toEqual([]);
});

test("it finds a bare one", () => {
  const found = (line: string) => isBare(line.replaceAll("@", "$"));
  expect(found("(x) => `max(@{x}, Vec(0))`")).toBe(true);
  expect(found("(a, b) => `select(@{a}, @{b}, @{a} != @{b})`")).toBe(true);
  expect(found('{ f: "max(a, b)" }')).toBe(true);
  expect(found("`[@{Math.max(a, b)}]`")).toBe(false);
  expect(found("(x) => orNan(`max(@{x}, Vec(0))`, x)")).toBe(false);
});
