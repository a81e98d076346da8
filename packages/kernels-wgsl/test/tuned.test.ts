import { describe, expect, it } from "vitest";
import { conv2d } from "../src/conv2d/index.ts";
import { candidates, choose, ofRole } from "../src/launch/choose.ts";
import { type Adapter, allVariants, type Kernel } from "../src/launch/kernel.ts";
import { kernelKey, tuningKey } from "../src/launch/tuned.ts";
import { dense, map } from "../src/map/index.ts";
import { momentum } from "../src/sgd/index.ts";

const anywhere = {};
const workgroups = () => [1, 1, 1] as const;
const fits = ({ length }: { length: number }) => length % 4 === 0;
const kernel: Kernel<{ length: number; lr: number }> = {
  name: "step",
  reads: [],
  writes: ["y"],
  params: { length: "u32", lr: "f32" },
  variants: {
    plain: { name: "plain", source: "3", workgroups },
    gpu: [
      { name: "first", source: "1", workgroups },
      { name: "fours", source: "2", fits, workgroups },
    ],
    rasteriser: [{ name: "registers", source: "5", workgroups }],
  },
  prefer: () => "plain",
};
const adapter = (tuned?: Adapter["tuned"]): Adapter => ({
  ...{ key: "any", software: false, features: new Set(), subgroupSize: [32, 32] },
  ...{ workgroupMemory: 1, workgroupThreads: 1, ...(tuned && { tuned }) },
});

describe("choose", () => {
  const key = (length: number, holes = {}) => tuningKey(kernel, { length, lr: 0.1 }, holes, anywhere);
  const chosen = (tuned: [string, string][], length = 8, holes = {}) =>
    choose(kernel, { length, lr: 0.3 }, adapter(new Map(tuned)), holes).name;

  it("takes what was measured before what the kernel prefers", () => {
    expect(chosen([])).toBe("plain");
    expect(chosen([[key(8), "fours"]])).toBe("fours");
    expect(choose(kernel, { length: 8, lr: 0 }, adapter()).name).toBe("plain");
  });

  it("takes it for these shapes and this type of elements alone", () => {
    expect(chosen([[key(8), "fours"]], 12)).toBe("plain");
    expect(chosen([[key(8), "fours"]], 8, { Elem: "f16" })).toBe("plain");
    expect(chosen([[key(8, { Elem: "f16" }), "first"]], 8, { Elem: "f16" })).toBe("first");
  });

  it("passes over a variant that does not fit, or that there is not", () => {
    expect(chosen([[key(6), "fours"]], 6)).toBe("plain");
    expect(chosen([[key(8), "gone"]])).toBe("plain");
  });

  it("takes a variant of the adapter's role, or the plain one", () => {
    const { prefer: _, ...indifferent } = kernel;
    const params = { length: 6, lr: 0 };
    expect(choose(indifferent, params, adapter()).name).toBe("first");
    expect(choose(indifferent, params, { ...adapter(), software: true }).name).toBe("registers");
    const { gpu: __, ...variants } = kernel.variants;
    expect(choose({ ...indifferent, variants }, params, adapter()).name).toBe("plain");
    expect(allVariants(kernel).map(({ name }) => name)).toEqual(["first", "fours", "registers", "plain"]);
  });

  it("has, of what an adapter can run, what is written for its role to be tried", () => {
    const params = { length: 6, lr: 0 };
    const names = (software: boolean) =>
      [candidates, ofRole].map((of) =>
        of(kernel, params, { ...adapter(), software }).map(({ name }) => name),
      );
    expect(names(true)).toEqual([
      ["first", "registers", "plain"],
      ["registers", "plain"],
    ]);
    expect(names(false)).toEqual([
      ["first", "registers", "plain"],
      ["first", "plain"],
    ]);
  });

  it("passes over what was measured of other shaders", () => {
    const { plain } = kernel.variants;
    const changed = { ...kernel, variants: { ...kernel.variants, plain: { ...plain, source: "4" } } };
    const holes = { ...kernel, variants: { ...kernel.variants, plain: { ...plain, holes: { A: 1 } } } };
    expect(
      new Set([kernel, changed, holes].map((one) => kernelKey(one as typeof kernel, anywhere))).size,
    ).toBe(3);
    expect(choose(changed, { length: 8, lr: 0 }, adapter(new Map([[key(8), "fours"]]))).name).toBe("plain");
  });
});

it("numbers that are computed with are no part of a key", () => {
  expect(tuningKey(momentum, { length: 8, lr: 1, momentum: 0, weightDecay: 0 }, {}, anywhere)).toMatch(
    /^momentum [0-9a-f]{8} f32 8$/,
  );
  expect(tuningKey(map, dense(8, 1, 2), {}, anywhere)).toBe(tuningKey(map, dense(8, 3, 4), {}, anywhere));
  expect(tuningKey(map, dense(8), {}, anywhere)).not.toBe(tuningKey(map, dense(12), {}, anywhere));
});

it("two kernels have two keys, and a key is the same in every process", () => {
  const p = Object.fromEntries(Object.keys(conv2d.params).map((name, i) => [name, i]));
  expect(tuningKey(conv2d, p as never, {}, anywhere)).toMatch(
    /^conv2d [0-9a-f]{8} f32 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15$/,
  );
});
