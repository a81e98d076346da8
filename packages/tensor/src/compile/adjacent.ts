import type { Kernel } from "@shadegrad/kernels-wgsl";
import { sumPartials } from "@shadegrad/kernels-wgsl/conv2d";
import { PACKED, type PackParams, type Part, pack, packParams, partsOf } from "@shadegrad/kernels-wgsl/pack";
import type { Adjacent, Alias, Recorded, TensorBinding } from "../core/recorder.ts";
import { padded, type Storage } from "../core/storage.ts";

/** A tensor that `pack` copies to its place. */
interface FreeCopy extends Alias {
  readonly storage: Storage;
  /** Index of the launch that packs it. */
  readonly at: number;
}

/**
 * Let launches write tensors to where `pack` would copy them: gradients are computed in their places among the others, which
 * an optimizer moves as one. Partial sums are added up there as well, those of several tensors by one launch.
 *
 * @param fixed storages whose place is not free: arguments and results
 */
export function writeAdjacent<L extends Recorded>(
  launches: readonly L[],
  fixed: ReadonlySet<Storage>,
): Adjacent<L> {
  const copies = freeCopies(launches, fixed);
  const aliases = new Map(copies.map(({ storage, whole, offset }) => [storage, { whole, offset }]));
  return { launches: summedTogether(withoutCopies(launches, aliases), aliases), aliases };
}

/** Find the copies that can be left out. */
function freeCopies(launches: readonly Recorded[], fixed: ReadonlySet<Storage>): FreeCopy[] {
  const first = new Map<Storage, number>();
  const last = new Map<Storage, number>();
  launches.forEach(({ reads, writes }, i) => {
    for (const { storage } of writes) if (!first.has(storage)) first.set(storage, i);
    for (const { storage } of [...reads, ...writes]) last.set(storage, i);
  });
  const copies = new Map<Storage, FreeCopy>();
  launches.forEach((launch, at) => {
    if (launch.kernel.name !== pack.name) return;
    const whole = launch.writes[0]!.storage;
    partsOf(launch.params as PackParams).forEach(({ start, splits }, k) => {
      const { storage, at: part } = launch.reads[k]!;
      const isMade = storage.isPlanned && !part && (first.get(storage) ?? at) < at && !fixed.has(storage);
      if (!whole.isPlanned || !isMade || splits !== 1 || last.get(storage) !== at) return;
      copies.set(storage, { storage, whole, offset: 4 * start, at });
    });
  });
  // A launch must not read from the buffer that it writes to.
  for (const { kernel, reads, writes } of launches) {
    if (kernel.name === pack.name) continue;
    const wholeOf = ({ storage }: TensorBinding) => copies.get(storage)?.whole ?? storage;
    const read = new Set(reads.map(wholeOf));
    for (const write of writes) if (read.has(wholeOf(write))) copies.delete(write.storage);
  }
  return [...copies.values()];
}

function withoutCopies<L extends Recorded>(
  launches: readonly L[],
  aliases: ReadonlyMap<Storage, Alias>,
): (L | Recorded)[] {
  return launches.flatMap((launch): (L | Recorded)[] => {
    if (launch.kernel.name !== pack.name) return [launch];
    const parts = partsOf(launch.params as PackParams);
    const left = parts.map((part, k) => ({ part, read: launch.reads[k]! }));
    const needed = left.filter(({ read }) => !aliases.has(read.storage));
    if (needed.length === parts.length) return [launch];
    return needed.length === 0 ? [] : [packing(needed, launch.writes[0]!.storage)];
  });
}

interface Packed {
  readonly part: Part;
  readonly read: TensorBinding;
}

/** @param whole of f32, like all that is packed */
function packing(parts: readonly Packed[], whole: Storage): Recorded {
  return {
    ...{
      kernel: pack as unknown as Kernel,
      paramsAtCall: undefined,
      holes: {},
      epilogue: undefined,
      variant: undefined,
    },
    params: packParams(parts.map(({ part }) => part)),
    reads: Array.from({ length: PACKED }, (_, k) => (parts[k] ?? parts[0]!).read),
    writes: [{ storage: whole, size: whole.bytes / 4, dtype: "f32", allocated: false }],
  };
}

/**
 * Merge launches that add partial sums into one whole: a few of them become one launch, at the place of the last, or before
 * another launch reads or changes one of the sums.
 */
function summedTogether<L extends Recorded>(
  launches: readonly (L | Recorded)[],
  aliases: ReadonlyMap<Storage, Alias>,
): (L | Recorded)[] {
  const waiting = new Map<Storage, Packed[]>();
  /** Each sum that has waited, and the whole that it is a part of. */
  const wholes = new Map<Storage, Storage>();
  const sum = (whole: Storage): Recorded[] => {
    const parts = waiting.get(whole) ?? [];
    waiting.delete(whole);
    return parts.length > 0 ? [packing(parts, whole)] : [];
  };
  const isSum = ({ kernel, writes: [y] }: Recorded) =>
    kernel.name === sumPartials.name && y!.dtype === "f32" && aliases.has(y!.storage);
  const merged = launches.flatMap((launch): (L | Recorded)[] => {
    const { reads, writes } = launch;
    const due = [...reads, ...writes].flatMap(({ storage }) => sum(wholes.get(storage) ?? storage));
    if (!isSum(launch)) return [...due, launch];
    const y = writes[0]!.storage;
    const { whole, offset } = aliases.get(y)!;
    const { length, splits } = launch.params as { length: number; splits: number };
    const part = { start: offset / 4, length, space: padded(4 * length) / 4, splits };
    const parts = [...(waiting.get(whole) ?? []), { part, read: reads[0]! }];
    waiting.set(whole, parts);
    wholes.set(y, whole);
    return parts.length === PACKED ? [...due, ...sum(whole)] : due;
  });
  return [...merged, ...[...waiting.keys()].flatMap(sum)];
}
