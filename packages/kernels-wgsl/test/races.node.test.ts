import { describe, expect, it } from "vitest";
import type { Case } from "../src/check.ts";
import { epilogueHoles } from "../src/launch/epilogue.ts";
import { specialize } from "../src/launch/kernel.ts";
import { needsMatrices } from "./imitated.ts";
import { findRaces } from "./races.ts";
import { isAble, rows } from "./variants.ts";

const ABSENT = new Float32Array(4);

/** Elements that more than one lane of a subgroup writes: each writes four of up to eight rows. */
const SEVERAL = 64;

/** Elements beyond which a case is not interpreted: of the variants for long sums, which only differ in registers. */
const LONG = 100_000;

const lengthOf = ({ reads, writes }: Case): number =>
  [...reads, ...writes].reduce((sum, { length }) => sum + length, 0);

/** The race finder interprets: one small case, which writes so many elements, is what it can do in a second. */
function smallest(cases: Case[], least: number): Case | undefined {
  const asked = cases.filter(({ races }) => races);
  const several = cases.filter(({ writes }) => writes.some(({ length }) => length >= least));
  const found = [asked, several, cases].find(({ length }) => length > 0) ?? [];
  return found.sort((a, b) => lengthOf(a) - lengthOf(b))[0];
}

const BARRIER = "workgroupBarrier();";
const MATRICES = "the race finder would interpret imitated matrices for minutes";

describe.each(rows)("%s", { timeout: 120_000 }, (_, kernel, variant, cases) => {
  const example = () => {
    const launched = ({ params, holes }: Case) =>
      isAble(variant, params) &&
      variant.workgroups(params, { ...variant.holes, ...holes }).every((side) => side > 0);
    return smallest(cases().filter(launched), variant.needs?.includes("subgroups") ? SEVERAL : 0)!;
  };

  /** What is found in a launch of at most so many workgroups along each axis. */
  const found = (source: string, { epilogue, ...example }: Case, most: number) => {
    const holes = { ...variant.holes, ...example.holes, ...(epilogue && epilogueHoles(epilogue)) };
    const grid = variant.workgroups(example.params, holes).map((side) => Math.min(side, most));
    const reads = kernel.reads.map((_, i) => example.reads[i] ?? ABSENT);
    return findRaces(specialize(kernel.name, source, holes), kernel, grid, { ...example, reads });
  };

  it("has no race", ({ skip }) => {
    skip(needsMatrices(variant), MATRICES);
    skip(
      lengthOf(example()) > LONG,
      "the race finder would interpret sums of so many terms for half a minute",
    );
    expect(found(variant.source, example(), 2), example().name).toEqual({ race: undefined, errors: [] });
  });

  if (variant.source.includes(BARRIER)) {
    it("needs each of its barriers", ({ skip }) => {
      skip(needsMatrices(variant), MATRICES);
      const parts = variant.source.split(BARRIER);
      for (let i = 1; i < parts.length; i++) {
        const source = parts.reduce((sum, part, k) => sum + (k === i ? "" : BARRIER) + part);
        const line = parts.slice(0, i).join("").split("\n").length;
        expect(found(source, example(), 1).race, `${example().name}, without line ${line}`).toBeDefined();
      }
    });
  }
});

it("finds the race of a shader whose barrier is missing", () => {
  const code = `const THREADS: u32 = 2 * 4;
    struct Params { length: u32 }
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @group(0) @binding(1) var<uniform> p: Params;
    var<workgroup> tile: array<u32, 8>;
    @compute @workgroup_size(THREADS)
    fn main(@builtin(local_invocation_index) i: u32) {
      tile[i] = i;
      y[i] = tile[p.length - 1 - i];
    }`;
  const kernel = { name: "racy", reads: [], writes: ["y"], params: { length: "u32" } } as const;
  const example = { name: "8", params: { length: 8 }, reads: [], writes: [new Uint32Array(8)], expected: [] };
  expect(findRaces(code, kernel, [1, 1, 1], example).race).toMatch(/^tile, byte \d+: /);
});

it("knows how often a loop turns, and that a barrier orders its turns, also where it opens a block", () => {
  const code = (barrier: string) => `struct Params { length: u32 }
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @group(0) @binding(1) var<uniform> p: Params;
    var<workgroup> tile: array<u32, 8>;
    @compute @workgroup_size(8)
    fn main(@builtin(local_invocation_index) i: u32) {
      for (var turn = 0u; turn < 3; turn++) {
        if (turn > 0) {
          ${barrier}
          tile[i] = turn;
          workgroupBarrier();
        }
        var left = p.length;
        while (left > 2) {
          left -= 3;
        }
        if (turn == 0) { continue; }
        y[select(0, i, left == 2)] += tile[p.length - 1 - i];
      }
    }`;
  const kernel = { name: "turning", reads: [], writes: ["y"], params: { length: "u32" } } as const;
  const example = { name: "8", params: { length: 8 }, reads: [], writes: [new Uint32Array(8)], expected: [] };
  const race = (barrier: string) => findRaces(code(barrier), kernel, [1, 1, 1], example).race;
  expect(race("workgroupBarrier();")).toBeUndefined();
  expect(race("")).toMatch(/^tile, byte/);
});

it("finds none where each invocation writes where a function says", () => {
  const code = `struct Params { length: u32 }
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @group(0) @binding(1) var<uniform> p: Params;
    fn place(i: u32) -> u32 { return p.length - 1 - i; }
    @compute @workgroup_size(8)
    fn main(@builtin(local_invocation_index) i: u32) {
      y[place(i)] = i;
    }`;
  const kernel = { name: "turned", reads: [], writes: ["y"], params: { length: "u32" } } as const;
  const example = { name: "8", params: { length: 8 }, reads: [], writes: [new Uint32Array(8)], expected: [] };
  expect(findRaces(code, kernel, [1, 1, 1], example).race).toBeUndefined();
});

describe("a shader with subgroups", () => {
  const code = (at: string, between: string) => `enable subgroups;
    const SUBGROUP: u32 = 8;
    struct Params { length: u32 }
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @group(0) @binding(1) var<uniform> p: Params;
    var<private> sum: u32;
    var<workgroup> tile: array<u32, SUBGROUP>;
    @compute @workgroup_size(SUBGROUP)
    fn main(@builtin(subgroup_invocation_id) lane: u32) {
      sum = lane;
      sum += subgroupShuffle(sum, p.length - 1 - lane);
      tile[lane] = sum;
      ${between}
      y[${at}] = tile[p.length - 1 - lane];
    }`;
  const kernel = { name: "shuffled", reads: [], writes: ["y"], params: { length: "u32" } } as const;
  const example = { name: "8", params: { length: 8 }, reads: [], writes: [new Uint32Array(8)], expected: [] };
  const race = (code: string) => findRaces(code, kernel, [1, 1, 1], example).race;

  it("races where two lanes write to one place", () => {
    expect(race(code("lane / 2", "workgroupBarrier();"))).toMatch(/^y, byte/);
  });

  it("races where a barrier is missing, since its ops order no memory", () => {
    expect(race(code("lane", "sum = subgroupBroadcast(sum, 0u);"))).toMatch(/^tile, byte/);
  });

  it("has no race otherwise, whatever each lane keeps", () => {
    expect(race(code("lane", "workgroupBarrier();"))).toBeUndefined();
  });

  it("is refused where an op is not known", () => {
    expect(() => race(code("lane", "sum = subgroupAdd(sum);"))).toThrow("subgroupAdd has no meaning");
  });
});
