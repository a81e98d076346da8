import { beforeAll, describe, expect, it } from "vitest";
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";
import type { Case } from "../src/check.ts";
import { epilogueHoles } from "../src/launch/epilogue.ts";
import {
  type Adapter,
  allVariants,
  fits,
  type Holes,
  layout,
  type ParamValues,
  specialize,
  type Variant,
} from "../src/launch/kernel.ts";
import { matrixUnits } from "../src/matrixUnits/index.ts";
import { rasteriser } from "../src/rasteriser/index.ts";
import { openDevice } from "./device.ts";
import { imitated, matrixAdapters, needsMatrices } from "./imitated.ts";
import { checked, checks, elements, shaders } from "./kernels.ts";
import { findRaces } from "./races.ts";

const ABSENT = new Float32Array(4);
let device: GPUDevice;
/** Adapters that have everything, so that every variant is checked wherever the suite runs. */
const able: Adapter[] = [
  ...[8, 4].map((lanes) => ({
    key: "able",
    software: false,
    features: new Set(["shader-f16", "subgroups"]),
    subgroupSize: [lanes, lanes] as const,
    workgroupMemory: 32_768,
    workgroupThreads: 1024,
  })),
  ...matrixAdapters,
];

beforeAll(async () => {
  ({ device } = await openDevice("null"));
});

async function complaints(code: string): Promise<string[]> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  const error = await device.popErrorScope();
  return error && !isOfNullDevice(error.message) ? [error.message] : [];
}

/** The null device has 16 KiB of workgroup memory, less than the adapters that these variants are for. */
function isOfNullDevice(message: string): boolean {
  const bytes = /total use of workgroup storage \((\d+) bytes\)/.exec(message)?.[1];
  return bytes !== undefined && able.every(({ workgroupMemory }) => Number(bytes) <= workgroupMemory);
}

it("has a check in every folder that has a shader", () => {
  const folders = (paths: string[]) => [...new Set(paths.map((path) => path.replace(/\/[^/]+$/, "")))].sort();
  expect(folders(checked)).toEqual(folders(shaders));
});

const rows = checks.flatMap(({ kernel, cases }) =>
  allVariants(kernel, rasteriser, matrixUnits).flatMap((variant) =>
    "stages" in variant ? [] : [[`${kernel.name} ${variant.name}`, kernel, variant, cases] as const],
  ),
);

/** True if the variant fits for one of the types that elements may have. */
const isAble = (variant: Variant, params: ParamValues) =>
  able.some((adapter) => [{}, { Elem: "f16" }].some((holes) => fits(variant, params, adapter, holes)));

describe.each(rows)("%s", (_, kernel, variant, cases) => {
  /** The distinct hole settings that the cases use, for float32 and, where there is `Elem`, float16. */
  const settings = (): Holes[] => {
    const found = cases()
      .filter(({ params }) => isAble(variant, params))
      .map(({ holes, epilogue }) => ({
        ...variant.holes,
        ...holes,
        ...(epilogue && epilogueHoles(epilogue)),
      }));
    const distinct = [...new Map(found.map((holes) => [JSON.stringify(holes), holes])).values()];
    const half = /^alias Elem = f32;/m.test(variant.source)
      ? distinct.map((h) => ({ ...h, Elem: "f16" }))
      : [];
    return [...distinct, ...half];
  };

  it("is a valid shader as it stands, and with its holes filled", async () => {
    expect(settings().length, "cases that this variant fits").toBeGreaterThan(0);
    expect(await complaints(variant.source)).toEqual([]);
    for (const holes of settings()) {
      expect(await complaints(specialize(kernel.name, variant.source, holes)), JSON.stringify(holes)).toEqual(
        [],
      );
    }
  });

  it("has the bindings and the layout of Params that TypeScript says", () => {
    const { storage, uniforms } = new WgslReflect(imitated(variant.source).replace(/^enable .*$/m, ""));
    const bindings = [...storage, ...uniforms].sort((a, b) => a.binding - b.binding);
    expect(bindings.map(({ name, group }) => `${group}:${name}`)).toEqual(
      [...kernel.reads, ...kernel.writes, "p"].map((name) => `0:${name}`),
    );
    const access = storage.map(({ name, access }) => `${name} ${access}`).sort();
    expect(access).toEqual(
      [...kernel.reads.map((n) => `${n} read`), ...kernel.writes.map((n) => `${n} read_write`)].sort(),
    );
    const members = uniforms[0]!.members as { name: string; offset: number; type: { name: string } }[];
    const { offsets } = layout(kernel.params);
    expect(members.map(({ name, offset, type }) => [name, type.name, offset])).toEqual(
      Object.entries(kernel.params).map(([name, type]) => [name, type, offsets[name]]),
    );
  });

  it("has the types of elements that TypeScript says", () => {
    for (const name of [...kernel.reads, ...kernel.writes]) {
      const type = kernel.types?.[name] ?? "Elem";
      const [hole, otherwise] = typeof type === "string" ? [type, type] : type;
      const found = (holes: Holes) => elements(variant.source, { ...variant.holes, ...holes }).get(name);
      expect(found({}), name).toBe(otherwise === "Elem" ? elementOf(variant.source) : otherwise);
      if (otherwise === "Elem") expect(found({ Elem: "f16" }), name).toBe("f16");
      if (hole !== otherwise) expect(found({ [hole]: "f16" }), name).toBe("f16");
    }
  });

  it("has a case with several workgroups", ({ skip }) => {
    skip(kernel.name === "lossScale", "one invocation does its work");
    const most = cases()
      .filter(({ params }) => isAble(variant, params))
      .map(({ params, holes }) => variant.workgroups(params, { ...variant.holes, ...holes }))
      .reduce(
        (most, grid) =>
          Math.max(
            most,
            grid.reduce((count, side) => count * side, 1),
          ),
        0,
      );
    expect(most).toBeGreaterThan(1);
  });

  it("has no race", { timeout: 120_000 }, ({ skip }) => {
    skip(needsMatrices(variant), "the race finder would interpret imitated matrices for minutes");
    const launched = ({ params, holes }: Case) =>
      isAble(variant, params) &&
      variant.workgroups(params, { ...variant.holes, ...holes }).every((side) => side > 0);
    const lanes = variant.needs?.includes("subgroups");
    for (const example of smallest(cases().filter(launched), lanes ? SEVERAL : 0)) {
      skip(
        lengthOf(example) > LONG,
        "the race finder would interpret sums of so many terms for half a minute",
      );
      const { epilogue } = example;
      const holes = { ...variant.holes, ...example.holes, ...(epilogue && epilogueHoles(epilogue)) };
      const grid = variant.workgroups(example.params, holes).map((side) => Math.min(side, 2));
      const { races, errors } = findRaces(specialize(kernel.name, variant.source, holes), kernel, grid, {
        ...example,
        reads: kernel.reads.map((_, i) => example.reads[i] ?? ABSENT),
      });
      expect(races, example.name).toEqual([]);
      expect(errors, example.name).toEqual([]);
    }
  });
});

/** Default of `Elem`. */
const elementOf = (source: string) => /^alias Elem = (\w+);/m.exec(source)?.[1];

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
  expect(findRaces(code, kernel, [1, 1, 1], example).races.length).toBeGreaterThan(0);
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
  expect(findRaces(code, kernel, [1, 1, 1], example).races).toEqual([]);
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
  const races = (code: string) => findRaces(code, kernel, [1, 1, 1], example).races;

  it("races where two lanes write to one place", () => {
    expect(races(code("lane / 2", "workgroupBarrier();")).length).toBeGreaterThan(0);
  });

  it("races where a barrier is missing, since its ops order no memory", () => {
    expect(races(code("lane", "sum = subgroupBroadcast(sum, 0u);")).length).toBeGreaterThan(0);
  });

  it("has no race otherwise, whatever each lane keeps", () => {
    expect(races(code("lane", "workgroupBarrier();"))).toEqual([]);
  });

  it("is refused where an op is not known", () => {
    expect(() => races(code("lane", "sum = subgroupAdd(sum);"))).toThrow("subgroupAdd has no meaning");
  });
});

/** The race finder interprets: one small case, which writes so many elements, is what it can do in a second. */
function smallest(cases: Case[], least: number): Case[] {
  const asked = cases.filter(({ races }) => races);
  const several = cases.filter(({ writes }) => writes.some(({ length }) => length >= least));
  const found = [asked, several, cases].find(({ length }) => length > 0) ?? [];
  return found.sort((a, b) => lengthOf(a) - lengthOf(b)).slice(0, 1);
}

/** Elements that more than one lane of a subgroup writes: each writes four of up to eight rows. */
const SEVERAL = 64;

/** Elements beyond which a case is not interpreted: of the variants for long sums, which only differ in registers. */
const LONG = 100_000;

const lengthOf = ({ reads, writes }: Case): number =>
  [...reads, ...writes].reduce((sum, { length }) => sum + length, 0);
