import type { Kernel } from "@shadegrad/kernels-wgsl";
import { sumPartials } from "@shadegrad/kernels-wgsl/conv2d";
import { type MapParams, map } from "@shadegrad/kernels-wgsl/map";
import { type Part, pack, packParams, partsOf } from "@shadegrad/kernels-wgsl/pack";
import { describe, expect, it } from "vitest";
import { writeAdjacent } from "../../src/compile/adjacent.ts";
import { mergeElementwise } from "../../src/compile/merge.ts";
import type { Recorded } from "../../src/core/recorder.ts";
import { Storage } from "../../src/core/storage.ts";
import type { Device } from "../../src/gpu/device.ts";

const device = { checkFits() {} } as unknown as Device;
/** A tensor whose memory `compile` plans. */
const planned = (elements: number) => new Storage(device, 4 * elements, "a tensor", "planned");
/** A tensor that has memory. */
const present = (elements: number) =>
  new Storage({ allocate: () => ({}) } as unknown as Device, 4 * elements, "a tensor", "pooled");

const launchOf = (
  kernel: unknown,
  params: object,
  reads: readonly Storage[],
  writes: readonly Storage[],
  changes: Partial<Recorded> = {},
): Recorded => ({
  kernel: kernel as Kernel,
  params: params as Recorded["params"],
  paramsAtCall: undefined,
  holes: {},
  epilogue: undefined,
  variant: undefined,
  reads: reads.map((storage) => ({ storage, size: storage.bytes / 4, dtype: "f32" })),
  writes: writes.map((storage) => ({ storage, size: storage.bytes / 4, dtype: "f32", allocated: true })),
  ...changes,
});

describe("an elementwise launch is merged into a product", () => {
  const [ROWS, COLUMNS] = [3, 4];
  /** A product of 3 rows and 4 channels, with whatever else it writes. */
  const product = (y: Storage, ...others: Storage[]) =>
    launchOf({ name: "matmul", epilogue: () => COLUMNS }, {}, [present(1), present(1)], [y, ...others]);
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
    const with_ = (x: Storage, b0: MapParams["b0"]) => {
      const launch = elementwise(x, "a * b", { ...both, b0 });
      const reads = launch.reads.map((read, i) => (i === 1 ? { ...read, storage: other } : read));
      return { ...launch, reads };
    };
    const merged = (first: MapParams["b0"], second: MapParams["b0"]) => {
      const one = with_(y, first);
      const [found, ...rest] = merge(product(y), one, with_(one.writes[0]!.storage, second));
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

describe("tensors that are packed into one", () => {
  const part = (start: number, length: number, splits = 1): Part => ({ start, length, space: 64, splits });
  const packing = (whole: Storage, ...read: (readonly [Storage, Part])[]) => {
    const reads = Array.from({ length: 7 }, (_, k) => (read[k] ?? read[0]!)[0]);
    return launchOf(pack, packParams(read.map(([, each]) => each)), reads, [whole]);
  };
  const making = (...made: Storage[]) => launchOf({ name: "make" }, {}, [present(4)], made);
  const adjacent = (launches: Recorded[], fixed: Storage[] = []) => writeAdjacent(launches, new Set(fixed));

  it("are written to their places", () => {
    const [a, b, whole] = [planned(4), planned(8), planned(128)];
    const launches = [making(a), making(b), packing(whole, [a, part(0, 4)], [b, part(64, 8)])];
    const found = adjacent(launches);
    expect(found.launches).toEqual(launches.slice(0, 2));
    expect([...found.aliases]).toEqual([
      [a, { whole, offset: 0 }],
      [b, { whole, offset: 256 }],
    ]);
  });

  it.each<[string, (a: Storage, whole: Storage, packed: Recorded) => Recorded[]]>([
    ["was made before, by a constant launch", (_, __, packed) => [packed]],
    ["is read later", (a, _, packed) => [making(a), packed, launchOf({ name: "x" }, {}, [a], [planned(1)])]],
    ["is replaced later", (a, _, packed) => [making(a), packed, making(a)]],
    [
      "is made by a launch that reads the whole",
      (a, whole, packed) => [launchOf({ name: "x" }, {}, [whole], [a]), packed],
    ],
  ])("are copied there if one %s", (_, launches) => {
    const [a, b, whole] = [planned(4), planned(8), planned(128)];
    const packed = packing(whole, [a, part(0, 4)], [b, part(64, 8)]);
    const found = adjacent([making(b), ...launches(a, whole, packed)]);
    expect([...found.aliases.keys()]).toEqual([b]);
    const left = found.launches.find(({ kernel }) => kernel.name === pack.name)!;
    expect(partsOf(left.params as never)).toEqual([part(0, 4)]);
    expect(left.reads.map(({ storage }) => storage)).toEqual(Array(7).fill(a));
  });

  it("are copied there if one has memory, is a result, or is given in partial sums", () => {
    const [a, b, whole] = [planned(4), present(8), planned(192)];
    const sums = planned(8);
    const reads = [
      [a, part(0, 4)],
      [b, part(64, 8)],
      [sums, part(128, 4, 2)],
    ] as const;
    const launches = [making(a), making(b), making(sums), packing(whole, ...reads)];
    expect(adjacent(launches, [a]).aliases.size).toBe(0);
    expect(adjacent(launches, [a]).launches).toEqual(launches);
    expect([...adjacent(launches).aliases.keys()]).toEqual([a]);
    const elsewhere = [making(a), packing(present(64), [a, part(0, 4)])];
    expect(adjacent(elsewhere).aliases.size).toBe(0);
  });

  it("are none of another kernel's", () => {
    const [a, whole] = [planned(4), planned(64)];
    const other = { ...packing(whole, [a, part(0, 4)]), kernel: { name: "other" } as Kernel };
    const launches = [making(a), other];
    expect(adjacent(launches)).toEqual({ launches, aliases: new Map() });
  });

  describe("and are sums of partial sums", () => {
    const summing = (partials: Storage, y: Storage, splits: number) =>
      launchOf(sumPartials, { length: y.bytes / 4, splits }, [partials], [y]);
    const several = (count: number) => {
      const made = Array.from({ length: count }, () => ({ y: planned(4), partials: planned(8) }));
      const whole = planned(64 * count);
      const reads = made.map(({ y }, i) => [y, part(64 * i, 4)] as const);
      const packs = Array.from({ length: Math.ceil(count / 7) }, (_, i) =>
        packing(whole, ...reads.slice(7 * i, 7 * i + 7)),
      );
      return { made, packs, sums: made.map(({ partials, y }) => summing(partials, y, 2)) };
    };

    it("are added up there by one launch for seven of them", () => {
      const { made, packs, sums } = several(8);
      const reader = launchOf({ name: "step" }, {}, [packs[0]!.writes[0]!.storage], [present(4)]);
      const found = adjacent([...sums, ...packs, reader]).launches;
      expect(found.map(({ kernel }) => kernel.name)).toEqual(["pack", "pack", "step"]);
      const parts = made.map((_, i) => part(64 * i, 4, 2));
      const partials = made.map(({ partials }) => partials);
      for (const [at, places] of [parts.slice(0, 7), parts.slice(7)].entries()) {
        expect(partsOf(found[at]!.params as never)).toEqual(places);
        const read = found[at]!.reads.map(({ storage }) => storage).slice(0, places.length);
        expect(read).toEqual(partials.slice(7 * at, 7 * at + places.length));
      }
    });

    it("are added up before a launch that reads or writes the whole", () => {
      for (const count of [1, 3]) {
        const { packs, sums, made } = several(count);
        const whole = packs[0]!.writes[0]!.storage;
        const reader = launchOf({ name: "step" }, {}, [whole], [present(4)]);
        const found = adjacent([...sums, ...packs, reader]).launches;
        expect(found.map(({ kernel }) => kernel.name)).toEqual(["pack", "step"]);
        expect(found[0]!.writes[0]).toMatchObject({ storage: whole, allocated: false });
        expect(partsOf(found[0]!.params as never)).toEqual(made.map((_, i) => part(64 * i, 4, 2)));
      }
    });

    it("stay as they are where they are not packed, or of halves", () => {
      const { sums, packs } = several(1);
      const loose = summing(planned(8), planned(4), 2);
      const reader = launchOf({ name: "step" }, {}, [packs[0]!.writes[0]!.storage], [present(4)]);
      const halves = { ...sums[0]!, writes: sums[0]!.writes.map((write) => ({ ...write, dtype: "f16" })) };
      const found = adjacent([loose, halves, ...packs, reader]).launches;
      expect(found.map(({ kernel }) => kernel.name)).toEqual(["sumPartials", "sumPartials", "step"]);
    });
  });
});
