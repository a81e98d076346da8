import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { keepVariants, keptVariants } from "../../src/gpu/tuned.ts";
import { type Device, matmul, openDevice, type Tensor, tensor, tune } from "../../src/index.ts";

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "shadegrad-tuned-"));
  vi.stubEnv("SHADEGRAD_CACHE", cache);
  vi.stubEnv("SHADEGRAD_TUNED", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

const open = () => openDevice({ quiet: true });
const files = () => readdirSync(join(cache, "tuned"));
const tuneOn = (device: Device) => {
  const a = tensor(Float32Array.from({ length: 64 }, Math.sin), [8, 8], { device });
  return tune((a: Tensor) => matmul(a, a), [a]);
};

it("the next device on this adapter knows what was found", async () => {
  const device = await open();
  expect(device.tuned.size).toBe(0);
  const { kept, rows } = await tuneOn(device);
  expect(device.tuned.size).toBe(1);
  expect(kept).toBe(`${cache}/tuned/${files()[0]}`);
  const later = await open();
  expect(later.tuned).toEqual(device.tuned);
  expect([...later.tuned.values()]).toEqual([rows[0]!.variant]);
  const without = await openDevice({ quiet: true, tuned: false });
  expect(without.tuned.size).toBe(0);
  vi.stubEnv("SHADEGRAD_TUNED", "off");
  const off = await open();
  expect(off.tuned.size).toBe(0);
  expect((await tuneOn(off)).kept).toBeUndefined();
  for (const each of [device, later, without, off]) each.destroy();
});

const A = "conv2d 0000000a f32 1";
const FORMER = "conv2d 0000000b f32 1";
const B = "matmul 0000000c f32 2";

it("what is kept lies beside what was; of a kernel's former shaders, nothing", () => {
  expect(keepVariants("x", new Map([[FORMER, "old"]]))).toBe(`${cache}/tuned/x.json`);
  keepVariants("x", new Map([[B, "tiled"]]));
  keepVariants("x", new Map([[A, "lanes"]]));
  expect(Object.fromEntries(keptVariants("x"))).toEqual({ [A]: "lanes", [B]: "tiled" });
  expect(files()).toEqual(["x.json"]);
});

it("a device that was opened with what is former keeps it no longer", async () => {
  const first = await open();
  const former = "matmul 0000000b f32 8";
  keepVariants(first.adapter.key, new Map([[former, "old"]]));
  const second = await open();
  expect([...second.tuned.keys()]).toEqual([former]);
  const { rows } = await tuneOn(second);
  expect([...keptVariants(first.adapter.key).values()]).toEqual([rows[0]!.variant]);
  for (const each of [first, second]) each.destroy();
});

it("adapters whose names look alike in a path are told apart", () => {
  keepVariants("a b", new Map([[A, "lanes"]]));
  expect(keptVariants("a b").size).toBe(1);
  expect(keptVariants("a/b").size).toBe(0);
  expect(keptVariants("../../a b").size).toBe(0);
});

it.each([
  ["nothing", ""],
  ["no JSON", "{"],
  ["another format", '{"format": 2, "adapter": "x", "variants": {}}'],
  ["a list", "[]"],
  ["null", "null"],
  ["names that are none", `{"format": 1, "adapter": "x", "variants": {"${A}": 3}}`],
  ["no variants", '{"format": 1, "adapter": "x"}'],
])("a file that holds %s is as none, and is replaced", (_, text) => {
  keepVariants("x", new Map([[B, "tiled"]]));
  const path = join(cache, "tuned", "x.json");
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ format: 1, adapter: "x" });
  writeFileSync(path, text);
  expect(keptVariants("x").size).toBe(0);
  keepVariants("x", new Map([[A, "lanes"]]));
  expect([...keptVariants("x")]).toEqual([[A, "lanes"]]);
});

it("a folder that cannot be written is no error: nothing is kept", async () => {
  const file = join(cache, "a-file");
  writeFileSync(file, "");
  vi.stubEnv("SHADEGRAD_CACHE", join(file, "inside"));
  expect(keptVariants("x").size).toBe(0);
  expect(keepVariants("x", new Map([[A, "lanes"]]))).toBeUndefined();
  const device = await open();
  expect((await tuneOn(device)).kept).toBeUndefined();
  expect(device.tuned.size).toBe(1);
  device.destroy();
});
