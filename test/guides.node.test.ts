import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { init } from "@shadegrad/tensor";
import { beforeAll, describe, expect, test } from "vitest";
import { guides, outputsOf, programOf } from "./guides.ts";
import { ROOT } from "./source.ts";

// The samples of the guides, run as they are written, from the root of the repository.
const all = guides();
let outputs: Map<string, string>;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [programOf(all)], { cwd: ROOT });
  outputs = outputsOf(stdout);
}, 300_000);

test("there are guides with samples", () => {
  expect(all.length).toBeGreaterThanOrEqual(5);
});

describe.each(all)("$name", ({ samples }) => {
  test.each(samples)("$name prints what stands below it", ({ name, prints }) => {
    expect(outputs.has(name)).toBe(true);
    if (prints !== undefined) expect(trimmed(outputs.get(name)!)).toBe(trimmed(prints));
  });
});

test("the curves show what the guide of residual learning says of them", () => {
  const { curves } = JSON.parse(readFileSync(join(ROOT, "docs", "data", "degradation.json"), "utf8")) as {
    curves: { name: string; points: { error: number }[] }[];
  };
  const last = new Map(
    curves.map(({ name, points }) => [name, points.slice(-5).reduce((sum, { error }) => sum + error / 5, 0)]),
  );
  expect(last.get("plain-56")).toBeGreaterThan(0.85);
  expect(last.get("plain-56")! - last.get("plain-20")!).toBeGreaterThan(0.03);
  expect(last.get("plain-56")! - last.get("resnet-56")!).toBeGreaterThan(0.05);
});

test("the nets of the guide's live cell are trained", async () => {
  const { trainNets } = await import(join(ROOT, "docs", ".vitepress", "theme", "degradation.mjs"));
  let curves: { points: unknown[] }[] = [];
  const show = (found: typeof curves) => void (curves = found);
  const device = await init();
  const held = () => device.counts.bytes - device.counts.freeBytes - device.counts.scratchBytes;
  const before = held();
  await trainNets({ steps: 2, show, signal: new AbortController().signal });
  expect(curves.map(({ points }) => points.length)).toEqual([2, 2, 2, 2]);
  expect(device.counts.bytes).toBeGreaterThan(0);
  expect(held()).toBe(before); // and nothing is left to the collector
});

/** The text without blanks at the ends of its lines. */
const trimmed = (text: string) => text.replaceAll(/ +$/gm, "").trim();
