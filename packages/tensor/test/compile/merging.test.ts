import { type MapParams, map } from "@shadegrad/kernels-wgsl/map";
import { describe, expect, it } from "vitest";
import { mergeElementwise } from "../../src/compile/merge.ts";
import type { Recorded } from "../../src/core/recorder.ts";
import type { Storage } from "../../src/core/storage.ts";
import { launchOf, planned, present } from "./launches.ts";

const [ROWS, COLUMNS] = [3, 4];
const quad = (...values: number[]) => [...values, 0, 0, 0].slice(0, 4) as unknown as MapParams["a0"];
const params = (changes: Partial<MapParams>): MapParams => ({
  ...{ shape0: quad(12, 1, 1, 1), shape1: quad(1, 1, 1, 1), a1: quad(), b1: quad(), c1: quad() },
  ...{ a0: quad(1), b0: quad(), c0: quad(), length: ROWS * COLUMNS, axes: 1, s: 0, t: 0 },
  ...changes,
});
const elementwise = (
  a: Storage,
  f = "-a",
  changes: Partial<MapParams> = {},
  others: Partial<Recorded> = {},
) => launchOf(map, params(changes), [a, a, a], [planned(12)], { holes: { f }, ...others });
const merge = (...launches: Recorded[]) => mergeElementwise(launches, new Set());

describe("an elementwise launch is merged into a product", () => {
  /** A product of 3 rows and 4 channels, with whatever else it writes. */
  const product = (y: Storage, ...others: Storage[]) =>
    launchOf({ name: "matmul", epilogue: () => COLUMNS }, {}, [present(1), present(1)], [y, ...others]);
  const rows = { axes: 2, shape0: quad(COLUMNS, ROWS, 1, 1) };

  it("whose layout is its own, of one axis or two", () => {
    for (const layout of [{}, { ...rows, a0: quad(1, COLUMNS) }]) {
      const y = planned(12);
      const [merged, ...rest] = merge(product(y), elementwise(y, "-a", layout));
      expect(rest).toEqual([]);
      expect(merged).toMatchObject({
        kernel: { name: "matmul" },
        mergedCount: 1,
        epilogue: { expression: "-(value)" },
      });
    }
  });

  it("with an operand for each channel", () => {
    const [y, row] = [planned(12), present(4)];
    const added = (b0: MapParams["b0"], columns = COLUMNS) => {
      const launch = elementwise(y, "a + b", {
        ...rows,
        shape0: quad(columns, 12 / columns, 1, 1),
        a0: quad(1, columns),
        b0,
      });
      const reads = launch.reads.map((read, i) => (i === 1 ? { storage: row, size: 4, dtype: "f32" } : read));
      return merge(product(y), { ...launch, reads });
    };
    const [merged, ...rest] = added(quad(1, 0));
    expect(rest).toEqual([]);
    expect(merged!.epilogue).toEqual({
      expression: "(value) + e0",
      operands: [{ kind: "channel", type: "f32" }],
    });
    expect(merged!.reads.at(-1)!.storage).toBe(row);
    // A row of three is none of the product's, and one value for each row is none for each channel.
    expect(added(quad(1, 0), 3)).toHaveLength(2);
    for (const other of [quad(0, 1), quad(0, 0), quad(2, 0)]) expect(added(other)).toHaveLength(2);
  });

  it("with an operand that was merged into it before, in the same layout", () => {
    const [y, other] = [planned(12), present(12)];
    const both = { ...rows, a0: quad(1, COLUMNS) };
    const timesOther = (x: Storage, b0: MapParams["b0"]) => {
      const launch = elementwise(x, "a * b", { ...both, b0 });
      const reads = launch.reads.map((read, i) => (i === 1 ? { ...read, storage: other } : read));
      return { ...launch, reads };
    };
    const merged = (first: MapParams["b0"], second: MapParams["b0"]) => {
      const one = timesOther(y, first);
      const [found, ...rest] = merge(product(y), one, timesOther(one.writes[0]!.storage, second));
      expect(rest).toEqual([]);
      return [
        found!.epilogue!.expression,
        found!.epilogue!.operands.map(({ kind }) => kind),
        found!.mergedCount,
      ];
    };
    const [dense, channel] = [quad(1, COLUMNS), quad(1, 0)];
    expect(merged(dense, dense)).toEqual(["((value) * e0) * e0", ["dense"], 2]);
    expect(merged(channel, channel)).toEqual(["((value) * e0) * e0", ["channel"], 2]);
    expect(merged(dense, channel)).toEqual(["((value) * e0) * e1", ["dense", "channel"], 2]);
  });

  it.each<[string, Partial<MapParams>, Partial<Recorded>]>([
    ["rows that lie further apart", { ...rows, a0: quad(1, 8) }, {}],
    ["rows that lie one in another", { ...rows, a0: quad(1, 1) }, {}],
    ["elements that lie apart", { a0: quad(2) }, {}],
    ["columns in the place of rows", { ...rows, a0: quad(3, 1) }, {}],
    ["three axes", { ...rows, axes: 3, a0: quad(1, COLUMNS, 12) }, {}],
    ["another length", { length: 24 }, {}],
    ["integers to compute in", {}, { holes: { f: "-a", S: "i32" } }],
    ["other parameters at each call", {}, { paramsAtCall: () => params({}) }],
    ["a power", {}, { holes: { f: "power(a, s)" } }],
    ["an infinite number", { s: 0x7f800000 }, { holes: { f: "a + s" } }],
  ])("but not one of %s", (_, layout, changes) => {
    const y = planned(12);
    expect(merge(product(y), elementwise(y, "-a", layout, changes))).toHaveLength(2);
  });

  it("but not one that writes to a tensor from before", () => {
    const y = planned(12);
    const second = elementwise(y);
    const into = { ...second, writes: second.writes.map((write) => ({ ...write, allocated: false })) };
    expect(merge(product(y), into)).toHaveLength(2);
  });

  it("past launches that neither read nor write what else the product writes", () => {
    const [y, other, x] = [planned(12), planned(4), present(12)];
    const between = elementwise(x);
    // The two between become one, which leaves a gap.
    const onceMore = elementwise(between.writes[0]!.storage);
    const found = merge(product(y, other), between, onceMore, elementwise(y));
    expect(found.map(({ kernel, mergedCount }) => [kernel.name, mergedCount])).toEqual([
      ["map", 1],
      ["matmul", 1],
    ]);
    expect(found[1]!.writes.map(({ storage }) => storage).slice(1)).toEqual([other]);
    const reader = launchOf({ name: "other" }, {}, [other], [planned(1)]);
    expect(merge(product(y, other), reader, elementwise(y))).toHaveLength(3);
    const writer = launchOf({ name: "other" }, {}, [x], [other]);
    expect(merge(product(y, other), writer, elementwise(y))).toHaveLength(3);
  });
});

describe("an elementwise launch is merged into another", () => {
  const first = (f = "a + s", changes: Partial<MapParams> = {}) =>
    elementwise(present(12), f, { s: 5, ...changes });
  const typed = (launch: Recorded, dtype: string) => ({
    ...launch,
    writes: launch.writes.map((write) => ({ ...write, dtype })),
  });
  const after = (launch: Recorded, f = "-a", changes: Partial<MapParams> = {}) =>
    elementwise(launch.writes[0]!.storage, f, changes);

  it("of the same length, by its expression", () => {
    const one = first();
    const [merged, ...rest] = merge(one, after(one));
    expect(rest).toEqual([]);
    expect(merged).toMatchObject({ holes: { f: "-(a + s)" }, mergedCount: 1, params: { s: 5 } });
  });

  it("with its other operands, each in a place of its own", () => {
    const [one, other] = [first(), present(12)];
    const second = after(one, "a * b + c", { b0: quad(1), c0: quad(1) });
    const reads = second.reads.map((read, i) => (i === 0 ? read : { ...read, storage: other }));
    const [merged, ...rest] = merge(one, { ...second, reads });
    expect(rest).toEqual([]);
    expect(merged!.holes.f).toBe("(a + s) * b + c");
    expect(merged!.reads.slice(1).map(({ storage }) => storage)).toEqual([other, other]);
    expect(merged!.params).toMatchObject({ b0: [1, 12, 12, 12], c0: [1, 12, 12, 12] });
  });

  it("with an operand that both have once", () => {
    const other = present(12);
    const withOther = (launch: Recorded) => ({
      ...launch,
      reads: launch.reads.map((read, i) => (i === 1 ? { ...read, storage: other } : read)),
    });
    const one = withOther(first("a + b", { b0: quad(1) }));
    const [merged, ...rest] = merge(one, withOther(after(one, "a * b", { b0: quad(1) })));
    expect(rest).toEqual([]);
    expect(merged!.holes.f).toBe("(a + b) * b");
    expect(merged!.reads.map(({ storage }) => storage)).toEqual(one.reads.map(({ storage }) => storage));
  });

  it("unless there is no place for an operand", () => {
    const one = first("a + b + c", { b0: quad(1), c0: quad(1) });
    const second = after(one, "a * b", { b0: quad(1) });
    const reads = second.reads.map((read, i) => (i === 1 ? { ...read, storage: present(12) } : read));
    expect(merge(one, { ...second, reads })).toHaveLength(2);
  });

  it.each<[string, (one: Recorded) => Recorded, Recorded]>([
    ["of another length", (one) => after(one, "-a", { length: 24 }), first()],
    ["of another layout", (one) => after(one, "-a", { a0: quad(2) }), first()],
    ["with numbers of its own", (one) => after(one, "a * s"), first()],
    ["with other numbers of its own", (one) => after(one, "a * t"), first()],
    ["after one that rounds to integers", after, typed(first(), "i32")],
    ["after one that rounds to halves", after, typed(first(), "f16")],
    [
      "after one whose numbers differ from call to call",
      after,
      { ...first(), paramsAtCall: () => params({}) },
    ],
    [
      "whose text grows too long",
      (one) => after(one, Array(12).fill("a").join(" + ")),
      first(`a + s${" + s".repeat(20)}`),
    ],
  ])("but not one %s", (_, second, one) => {
    expect(merge(one, second(one))).toHaveLength(2);
  });

  it("of halves too, if both are", () => {
    const one = typed(first(), "f16");
    const [merged, ...rest] = merge(one, typed(after(one), "f16"));
    expect(rest).toEqual([]);
    expect(merged!.holes).toMatchObject({ f: "-(a + s)", Y: "f16" });
  });
});
