import type { Kernel } from "@shadegrad/kernels-wgsl";
import { sumPartials } from "@shadegrad/kernels-wgsl/conv2d";
import { type Part, pack, packParams, partsOf } from "@shadegrad/kernels-wgsl/pack";
import { describe, expect, it } from "vitest";
import { writeAdjacent } from "../../src/compile/adjacent.ts";
import type { Recorded } from "../../src/core/recorder.ts";
import type { Storage } from "../../src/core/storage.ts";
import { launchOf, planned, present } from "./launches.ts";

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

  it("are copied there if a part of one is packed", () => {
    const [a, whole] = [planned(128), planned(64)];
    const packed = packing(whole, [a, part(0, 4)]);
    const reads = packed.reads.map((read) => ({ ...read, at: { offset: 256, bytes: 16 } }));
    const launches = [making(a), { ...packed, reads }];
    expect(adjacent(launches)).toEqual({ launches, aliases: new Map() });
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

    it("are added up before a launch that reads the whole", () => {
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

    const namesOf = (launches: readonly Recorded[]) => adjacent([...launches]).launches.map(nameOf);
    const nameOf = ({ kernel }: Recorded) => kernel.name;

    it("are added up though no launch reads the whole", () => {
      for (const count of [1, 7, 8]) {
        const { packs, sums } = several(count);
        expect(namesOf([...sums, ...packs])).toEqual(packs.map(nameOf));
      }
    });

    it.each<[string, (y: Storage) => Recorded]>([
      ["reads", (y) => launchOf({ name: "use" }, {}, [y], [planned(1)])],
      ["changes", (y) => launchOf({ name: "use" }, {}, [present(4)], [y])],
    ])("are added up before a launch that %s one of them", (_, use) => {
      const { made, packs, sums } = several(3);
      const early = use(made[1]!.y);
      const found = adjacent([...sums.slice(0, 2), early, sums[2]!, ...packs]).launches;
      expect(found.map(nameOf)).toEqual(["pack", "use", "pack"]);
      expect(partsOf(found[0]!.params as never)).toEqual([part(0, 4, 2), part(64, 4, 2)]);
      expect(partsOf(found[2]!.params as never)).toEqual([part(128, 4, 2)]);
    });

    it("are added up before a sum of one of them", () => {
      const { made, packs, sums } = several(1);
      const [z, other, whole] = [planned(4), planned(2), planned(128)];
      const late = summing(made[0]!.y, other, 2);
      const places = packing(whole, [z, part(0, 4)], [other, part(64, 2)]);
      const found = adjacent([summing(planned(8), z, 2), ...sums, late, ...packs, places]).launches;
      expect(found.map(({ writes }) => writes[0]!.storage)).toEqual([packs[0]!.writes[0]!.storage, whole]);
    });

    it("wait for one another where a launch makes another part of the whole", () => {
      const { made, sums } = several(2);
      const [other, whole] = [planned(4), planned(64 * 3)];
      const places = [...made.map(({ y }) => y), other].map((y, i) => [y, part(64 * i, 4)] as const);
      const launches = [sums[0]!, making(other), sums[1]!, packing(whole, ...places)];
      expect(namesOf(launches)).toEqual(["make", "pack"]);
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
