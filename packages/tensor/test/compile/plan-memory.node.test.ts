import fc from "fast-check";
import { expect, it } from "vitest";
import { planMemory } from "../../src/compile/memory.ts";
import type { Recorded } from "../../src/core/recorder.ts";
import { Storage } from "../../src/core/storage.ts";
import type { Device } from "../../src/gpu/device.ts";

const ALIGNMENT = 256;
const device = { checkFits() {} } as unknown as Device;
const planned = (bytes: number) => new Storage(device, bytes, "a tensor", "planned");
const launchOf = (reads: readonly Storage[], writes: readonly Storage[]) =>
  ({
    reads: reads.map((storage) => ({ storage })),
    writes: writes.map((storage) => ({ storage })),
  }) as unknown as Recorded;

/** A tensor's bytes, and by which numbers it is told if it is an argument, a result, or has memory already. */
const tensors = fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 2000 }), role: fc.nat({ max: 9 }) }), {
  minLength: 2,
  maxLength: 24,
});
/** Launches: indices of the earlier tensors that each reads, and the number of new ones that it writes. */
const launches = fc.array(
  fc.record({
    reads: fc.array(fc.nat({ max: 23 }), { maxLength: 3 }),
    writes: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 12 },
);

it("tensors that live at a time do not overlap, and no launch reads and writes one buffer", () => {
  fc.assert(
    fc.property(tensors, launches, fc.integer({ min: 8, max: 40 }), (sizes, graph, largest) => {
      const all = sizes.map(({ bytes, role }) => ({ storage: planned(bytes), role }));
      const ofRole = (role: number) => all.filter((one) => one.role === role).map(({ storage }) => storage);
      const [given, kept, elsewhere] = [ofRole(0), ofRole(1), ofRole(2)];
      const known = [...given, ...elsewhere];
      const made = all.map(({ storage }) => storage).filter((storage) => !known.includes(storage));
      const recorded = graph.map(({ reads, writes }) => {
        const found = reads.flatMap((i) => known[i] ?? []);
        const written = made.splice(0, writes);
        known.push(...written);
        return launchOf(found, written);
      });
      const options = { alignment: ALIGNMENT, largest: largest * ALIGNMENT };
      const sets = { given: new Set(given), kept: new Set(kept), elsewhere: new Set(elsewhere) };
      const { places, buffers } = planMemory(recorded, { ...options, ...sets });

      const touched = (storage: Storage) =>
        [
          ...(sets.given.has(storage) ? [-1] : []),
          ...recorded.flatMap(({ reads, writes }, i) =>
            [...reads, ...writes].some((one) => one.storage === storage) ? [i] : [],
          ),
          ...(sets.kept.has(storage) ? [recorded.length] : []),
        ] as const;
      const lives = all
        .map(({ storage }) => ({ storage, at: touched(storage), place: places.get(storage) }))
        .filter(({ storage, at, place }) => {
          expect(place !== undefined).toBe(at.length > 0 && !sets.elsewhere.has(storage));
          return place;
        });
      for (const { storage, place } of lives) {
        expect(place!.offset % ALIGNMENT).toBe(0);
        expect(place!.bytes).toBeGreaterThanOrEqual(Math.max(1, storage.bytes));
        expect(place!.offset + place!.bytes).toBeLessThanOrEqual(buffers[place!.buffer]!);
      }
      for (const bytes of buffers) expect(bytes).toBeLessThanOrEqual(options.largest);

      for (const [i, a] of lives.entries())
        for (const b of lives.slice(i + 1)) {
          const together = a.at[0]! <= b.at.at(-1)! && b.at[0]! <= a.at.at(-1)!;
          const [p, q] = [a.place!, b.place!];
          const overlap =
            p.buffer === q.buffer && p.offset < q.offset + q.bytes && q.offset < p.offset + p.bytes;
          expect(together && overlap).toBe(false);
        }
      for (const { reads, writes } of recorded) {
        const buffersOf = (bound: typeof reads) => bound.flatMap(({ storage }) => places.get(storage) ?? []);
        const read = new Set(buffersOf(reads).map(({ buffer }) => buffer));
        for (const { buffer } of buffersOf(writes)) expect(read.has(buffer)).toBe(false);
      }
    }),
    { seed: 11, numRuns: 1000 },
  );
});

it("a chain of tensors takes two buffers, each of the largest that lies in it", () => {
  const [x, ...chain] = [512, 1024, 256, 768, 256, 512].map(planned) as [Storage, ...Storage[]];
  const recorded = chain.map((y, i) => launchOf([i === 0 ? x : chain[i - 1]!], [y]));
  const { buffers } = planMemory(recorded, {
    given: new Set([x]),
    kept: new Set([chain.at(-1)!]),
    ...{ alignment: ALIGNMENT, largest: 2 ** 20 },
  });
  expect([...buffers].sort((a, b) => a - b)).toEqual([512, 1024]); // tensors in even and in odd places
});

/** A launch during which these tensors are live, in whatever buffers. */
const during = (...storages: Storage[]) => launchOf(storages, []);
const options = {
  given: new Set<Storage>(),
  kept: new Set<Storage>(),
  alignment: ALIGNMENT,
  largest: 2 ** 20,
};

it("the largest tensors are placed first, so that smaller ones do not lie in their way", () => {
  const [before, small, large] = [512, 256, 1024].map(planned) as [Storage, Storage, Storage];
  const launches = [during(before), during(before, small), during(small, large)];
  const { places, buffers } = planMemory(launches, options);
  expect(buffers).toEqual([1024 + 256]);
  expect(places.get(before)!.offset).toBe(0);
});

it.each([
  [256, [512 + 512]],
  [512, [512 + 512]],
  [768, [768 + 512]],
])("a tensor of %i bytes lies in the first gap while it lasts", (bytes, expected) => {
  const [gone, lasting, late] = [512, 512, bytes].map(planned) as [Storage, Storage, Storage];
  const { places, buffers } = planMemory([during(gone, lasting), during(lasting, late)], options);
  expect(buffers).toEqual(expected);
  expect(places.get(late)!.offset).toBe(0);
});

it("a tensor lies where the buffers grow least", () => {
  const [a, b, c, d] = [1024, 512, 512, 256].map(planned) as [Storage, Storage, Storage, Storage];
  // When c is made, a lives on, and b does not.
  const recorded = [launchOf([a], [b]), launchOf([], [c]), launchOf([a, c], [d])];
  const { places, buffers } = planMemory(recorded, {
    ...{ given: new Set([a]), kept: new Set([d]) },
    ...{ alignment: ALIGNMENT, largest: 2 ** 20 },
  });
  expect(places.get(c)!.buffer).toBe(places.get(b)!.buffer);
  expect([...buffers].sort((a, b) => a - b)).toEqual([256, 512, 1024]);
});

it("what has parts has a buffer of its own, before and after its time, and its parts lie in it", () => {
  const [x, whole, first, second, y, late] = [256, 1024, 300, 200, 256, 256].map(planned) as [
    Storage,
    ...[Storage, Storage, Storage, Storage, Storage],
  ];
  const aliases = new Map([
    [first, { whole, offset: 0 }],
    [second, { whole, offset: 512 }],
  ]);
  const launches = [launchOf([x], [first]), launchOf([x], [second]), launchOf([whole], [y])];
  const options = { given: new Set([x]), aliases, alignment: ALIGNMENT, largest: 2 ** 20 };
  const before = planned(2048); // room for all of it, which is free by then
  const early = [launchOf([x], [before]), launchOf([before], []), ...launches];
  const { places, buffers } = planMemory(early, { ...options, kept: new Set([y]) });
  const { buffer, offset } = places.get(whole)!;
  expect(places.get(first)).toEqual({ buffer, offset, bytes: 512 });
  expect(places.get(second)).toEqual({ buffer, offset: offset + 512, bytes: 256 });
  expect(buffers[buffer]).toBe(1024);
  for (const other of [x, y, before]) expect(places.get(other)!.buffer).not.toBe(buffer);

  const after = planMemory([...launches, launchOf([y], [late])], { ...options, kept: new Set([late]) });
  expect(after.places.get(late)!.buffer).not.toBe(after.places.get(whole)!.buffer);
});
