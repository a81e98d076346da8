import { describe, expect, it, vi } from "vitest";
import { choose } from "../src/launch/choose.ts";
import { IntegerTable } from "../src/launch/integers.ts";
import { type Adapter, allVariants, fits, type Kernel, type ParamValues } from "../src/launch/kernel.ts";
import { decidingOf, Recipes } from "../src/launch/recipes.ts";
import { type Request, resolve } from "../src/launch/resolve.ts";
import { matrixUnits } from "../src/matrixUnits/index.ts";
import { rasteriser } from "../src/rasteriser/index.ts";
import { checks } from "./kernels.ts";

const gpu: Adapter = {
  key: "a GPU",
  software: false,
  features: new Set(["shader-f16", "subgroups"]),
  subgroupSize: [32, 32],
  workgroupMemory: 32_768,
  workgroupThreads: 1024,
};
const adapters: Adapter[] = [
  gpu,
  { ...gpu, key: "llvmpipe", software: true, subgroupSize: [8, 8], rasteriser },
];
const LIMIT = 65_535;

describe.each(checks.map(({ kernel, cases }) => [kernel.name, kernel, cases] as const))(
  "%s",
  (_, kernel, cases) => {
    it("decides by shapes alone: neither a variant nor a grid depends on a number", () => {
      const deciding = new Set(decidingOf(kernel));
      for (const { params, holes = {}, epilogue } of cases()) {
        const watched = new Proxy(params, {
          get(from, name: string) {
            if (!deciding.has(name)) throw new Error(`${kernel.name} decides by ${name}, which is a number`);
            return from[name];
          },
        });
        for (const adapter of adapters) {
          choose(kernel, watched, adapter, holes);
          for (const variant of allVariants(kernel, rasteriser, matrixUnits)) {
            if (!fits(variant, watched, adapter)) continue;
            if ("stages" in variant)
              for (const bytes of Object.values(variant.scratch)) bytes(watched, holes);
            else {
              const own = { ...variant.holes, ...holes };
              const copied = variant.copied?.(watched, own, epilogue) ?? {};
              variant.workgroups(watched, {
                ...own,
                ...Object.assign({}, ...Object.values(copied).map((read) => read.holes)),
              });
            }
          }
        }
      }
    });

    it("is resolved alike whatever its numbers are", () => {
      const deciding = new Set(decidingOf(kernel));
      const outcome = (
        params: ParamValues,
        { holes = {}, epilogue, reads, writes }: ReturnType<typeof cases>[number],
        adapter: Adapter,
      ) =>
        resolve(
          { kernel, params, buffers: reads.length + writes.length, holes, epilogue, variant: undefined },
          adapter,
          LIMIT,
        ).map(({ kernel, variant, holes, grid, operands }) => ({
          kernel: kernel.name,
          variant: variant.name,
          holes,
          grid,
          operands,
        }));
      for (const example of cases()) {
        const others = Object.fromEntries(
          Object.entries(example.params).map(([name, value]) => [
            name,
            deciding.has(name) ? value : Number(value) + 1,
          ]),
        );
        for (const adapter of adapters)
          expect(outcome(others, example, adapter)).toEqual(outcome(example.params, example, adapter));
      }
    });
  },
);

describe("Recipes", () => {
  type P = { length: number; axes: readonly [number, number, number, number]; rate: number; seed: number };
  const kernel: Kernel<P> = {
    name: "example",
    reads: ["x"],
    writes: ["y"],
    params: { length: "u32", axes: "vec4u", rate: "f32", seed: "u32" },
    numbers: ["seed"],
    variants: { plain: { name: "plain", source: "", workgroups: () => [1, 1, 1] } },
  };
  const request: Request<P> = {
    kernel,
    params: { length: 3, axes: [1, 2, 3, 4], rate: 0.1, seed: 1 },
    buffers: 2,
    holes: { TILE: 32, f: "x" },
    epilogue: { expression: "value + e0", operands: [{ kind: "channel", type: "f32" }] },
    variant: undefined,
  };
  const isKnown = (recipes: Recipes, other: Request<P>): boolean => {
    const make = vi.fn(() => []);
    recipes.find(other, make);
    return make.mock.calls.length === 0;
  };

  it("knows a launch again, its floats and numbers aside", () => {
    const recipes = new Recipes();
    expect(isKnown(recipes, request)).toBe(false);
    expect(isKnown(recipes, { ...request, holes: { TILE: 32, f: "x" } })).toBe(true);
    expect(isKnown(recipes, { ...request, params: { ...request.params, rate: 0.2, seed: 2 } })).toBe(true);
  });

  it.each<[string, Partial<Request<P>>]>([
    ["another shape", { params: { ...request.params, length: 4 } }],
    ["another axis", { params: { ...request.params, axes: [1, 2, 3, 5] } }],
    ["another hole", { holes: { TILE: 64, f: "x" } }],
    ["a hole less", { holes: { TILE: 32 } }],
    ["a text in place of a number", { holes: { TILE: "32", f: "x" } }],
    ["another epilogue", { epilogue: { ...request.epilogue!, expression: "value * e0" } }],
    ["another operand", { epilogue: { ...request.epilogue!, operands: [{ kind: "dense", type: "f32" }] } }],
    [
      "halves as operand",
      { epilogue: { ...request.epilogue!, operands: [{ kind: "channel", type: "f16" }] } },
    ],
    ["no epilogue", { epilogue: undefined }],
    ["another count of buffers", { buffers: 3 }],
    ["a named variant", { variant: "plain" }],
    ["another kernel", { kernel: { ...kernel } }],
  ])("decides anew for %s", (_, changed) => {
    const recipes = new Recipes();
    isKnown(recipes, request);
    expect(isKnown(recipes, { ...request, ...changed })).toBe(false);
    expect(isKnown(recipes, request)).toBe(true);
  });

  it("decides anew once choices are forgotten, and never remembers more than a few thousand", () => {
    const recipes = new Recipes();
    isKnown(recipes, request);
    recipes.clear();
    expect(isKnown(recipes, request)).toBe(false);
    for (let length = 10; length < 5010; length++)
      isKnown(recipes, { ...request, params: { ...request.params, length } });
    expect(isKnown(recipes, request)).toBe(false);
  });

  it("does not remember a launch that is refused", () => {
    const recipes = new Recipes();
    const refuse = () => {
      throw new Error("refused");
    };
    expect(() => recipes.find(request, refuse)).toThrow("refused");
    expect(() => recipes.find(request, refuse)).toThrow("refused");
  });
});

describe("IntegerTable", () => {
  it("tells keys of one hash apart, also by length", () => {
    const table = new IntegerTable<string>();
    // The first part is taken in by exclusive or with the length: these two have one hash.
    table.add([2], "one");
    table.add([1], "another");
    expect([table.find([2]), table.find([1]), table.find([2, 0]), table.find([])]).toEqual([
      "one",
      "another",
      undefined,
      undefined,
    ]);
    expect(table.size).toBe(2);
    table.clear();
    expect([table.find([2]), table.size]).toEqual([undefined, 0]);
  });

  it("copies a key", () => {
    const table = new IntegerTable<string>();
    const key = [1, 2];
    table.add(key, "found");
    key[0] = 3;
    expect([table.find([1, 2]), table.find(key)]).toEqual(["found", undefined]);
  });
});
