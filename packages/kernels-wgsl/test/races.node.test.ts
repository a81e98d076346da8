import { describe, expect, it } from "vitest";
import { isStrided } from "./grids.ts";
import { needsMatrices } from "./imitated.ts";
import { searchRaces, toInterpret, tooLong } from "./race-search.ts";
import { findRaces } from "./races.ts";
import { rows } from "./variants.ts";

const BARRIER = "workgroupBarrier();";

describe.each(rows)("%s", { timeout: 120_000 }, (_, kernel, variant, cases) => {
  it("has no race", ({ skip }) => {
    const example = toInterpret(variant, cases());
    const reason = tooLong(variant, example);
    if (reason) return skip(reason);
    expect(searchRaces(kernel, variant, example), example.name).toEqual({ race: undefined, errors: [] });
  });

  if (isStrided(variant)) {
    it("is interpreted where its loops over the grid turn twice", ({ skip }) => {
      skip(needsMatrices(variant), "it is not interpreted");
      const example = toInterpret(variant, cases());
      const holes = { ...variant.holes, ...example.holes };
      expect(variant.workgroups(example.params, holes)[0], example.name).toBeGreaterThan(2);
    });
  }

  if (variant.source.includes(BARRIER)) {
    it("needs each of its barriers", ({ skip }) => {
      const example = toInterpret(variant, cases());
      skip(needsMatrices(variant), tooLong(variant, example));
      const parts = variant.source.split(BARRIER);
      for (let i = 1; i < parts.length; i++) {
        const source = parts.reduce((sum, part, k) => sum + (k === i ? "" : BARRIER) + part);
        const line = parts.slice(0, i).join("").split("\n").length;
        const { race } = searchRaces(kernel, { ...variant, source }, example, 1);
        expect(race, `${example.name}, without line ${line}`).toBeDefined();
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

it("runs each loop as often as it says, and takes a barrier for one, also where it opens a block", () => {
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

it("finds the race of two workgroups, and none where each writes elements of its own", () => {
  const code = (step: string) => `const THREADS: u32 = 8;
    struct Params { length: u32 }
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @group(0) @binding(1) var<uniform> p: Params;
    @compute @workgroup_size(8)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
      for (var i = id.x; i < p.length; i += ${step}) { y[i] = i; }
    }`;
  const kernel = { name: "strided", reads: [], writes: ["y"], params: { length: "u32" } } as const;
  const writes = [new Uint32Array(40)];
  const example = { name: "40", params: { length: 40 }, reads: [], writes, expected: [] };
  const race = (step: string) => findRaces(code(step), kernel, [2, 1, 1], example).race;
  expect(race("grid.x + THREADS")).toMatch(/^y, byte \d+: another workgroup/);
  expect(race("grid.x * THREADS")).toBeUndefined();
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
