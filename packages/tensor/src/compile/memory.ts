import type { Alias, Recorded } from "../core/recorder.ts";
import { padded, type Storage } from "../core/storage.ts";

/** Part of one of few large buffers. */
export interface Region {
  readonly buffer: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface MemoryPlan {
  readonly places: ReadonlyMap<Storage, Region>;
  /** Bytes of each buffer. */
  readonly buffers: readonly number[];
}

export interface MemoryOptions {
  /** Storages with contents before the first launch. */
  readonly given: ReadonlySet<Storage>;
  /** Storages that are read after the last launch. */
  readonly kept: ReadonlySet<Storage>;
  /** Storages that have memory already. */
  readonly elsewhere?: ReadonlySet<Storage>;
  /** Storages that are parts of others. A buffer that has parts has nothing else, so that their padding stays 0. */
  readonly aliases?: ReadonlyMap<Storage, Alias>;
  /** Alignment of offsets, in bytes. */
  readonly alignment: number;
  /** Largest size of a buffer, in bytes. */
  readonly largest: number;
}

interface Life {
  readonly storage: Storage;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/**
 * Find memory for the outputs of launches: tensors whose lifetimes do not overlap share memory.
 *
 * WebGPU does not let a launch read and write one buffer, not even different parts of it, so the inputs
 * and outputs of a launch are in different buffers. The largest tensors are placed first, each
 * where the buffers grow least (Pisarchyk and Lee, "Efficient memory management for deep neural net
 * inference", 2020, section 5.2).
 */
export function planMemory(launches: readonly Recorded[], options: MemoryOptions): MemoryPlan {
  const lives = livesOf(launches, options);
  const { aliases = new Map<Storage, Alias>() } = options;
  const apart = oppositesOf(launches, aliases);
  const wholes = new Set([...aliases.values()].map(({ whole }) => whole));
  const places = new Map<Storage, Region>();
  const buffers: { bytes: number; residents: (Life & Region)[] }[] = [];
  const bySize = [...lives].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const life of bySize) {
    const forbidden = new Set([...(apart.get(life.storage) ?? [])].map((other) => places.get(other)?.buffer));
    let best: { buffer: number; offset: number; growth: number } | undefined;
    for (const [buffer, { bytes, residents }] of buffers.entries()) {
      if (forbidden.has(buffer) || wholes.has(life.storage) || wholes.has(residents[0]!.storage)) continue;
      const offset = gap(life, residents);
      const growth = Math.max(0, offset + life.bytes - bytes);
      if (offset + life.bytes <= options.largest && (!best || growth < best.growth)) {
        best = { buffer, offset, growth };
      }
    }
    if (!best) {
      best = { buffer: buffers.length, offset: 0, growth: life.bytes };
      buffers.push({ bytes: 0, residents: [] });
    }
    const place = { buffer: best.buffer, offset: best.offset, bytes: life.bytes };
    const into = buffers[best.buffer]!;
    into.bytes = Math.max(into.bytes, place.offset + place.bytes);
    into.residents.push({ ...life, ...place });
    into.residents.sort((a, b) => a.offset - b.offset);
    places.set(life.storage, place);
  }
  for (const [storage, { whole, offset }] of aliases) {
    const { buffer, offset: start } = places.get(whole)!;
    places.set(storage, { buffer, offset: start + offset, bytes: padded(storage.bytes) });
  }
  return { places, buffers: buffers.map(({ bytes }) => bytes) };
}

/** The lowest offset at which nothing lies while `life` lasts. */
function gap(life: Life, residents: readonly (Life & Region)[]): number {
  let offset = 0;
  for (const other of residents) {
    if (other.first > life.last || other.last < life.first) continue;
    if (other.offset >= offset + life.bytes) break;
    offset = Math.max(offset, other.offset + other.bytes);
  }
  return offset;
}

/** Lifetime of each tensor, from the launch that first touches it to the last one. */
function livesOf(
  launches: readonly Recorded[],
  { given, kept, elsewhere, aliases, alignment }: MemoryOptions,
): Life[] {
  const lives = new Map<Storage, Life>();
  const touch = (touched: Storage, at: number) => {
    const storage = aliases?.get(touched)?.whole ?? touched;
    if (!storage.isPlanned || elsewhere?.has(storage)) return;
    const life = lives.get(storage);
    if (life) life.last = Math.max(life.last, at);
    else {
      const bytes = Math.max(1, Math.ceil(storage.bytes / alignment)) * alignment;
      lives.set(storage, { storage, bytes, first: at, last: at });
    }
  };
  for (const storage of given) touch(storage, -1);
  for (const [i, { reads, writes }] of launches.entries()) {
    for (const { storage } of [...reads, ...writes]) touch(storage, i);
  }
  for (const storage of kept) touch(storage, launches.length);
  return [...lives.values()];
}

/** For each tensor, the others that must not share its buffer: a launch reads one and writes the other. */
function oppositesOf(
  launches: readonly Recorded[],
  aliases: ReadonlyMap<Storage, Alias>,
): Map<Storage, Set<Storage>> {
  const opposites = new Map<Storage, Set<Storage>>();
  const wholeOf = (storage: Storage) => aliases.get(storage)?.whole ?? storage;
  const add = (one: Storage, other: Storage) => {
    const [a, b] = [wholeOf(one), wholeOf(other)];
    let of = opposites.get(a);
    if (!of) opposites.set(a, (of = new Set()));
    of.add(b);
  };
  for (const { reads, writes } of launches) {
    for (const { storage: read } of reads) {
      for (const { storage: write } of writes) {
        add(read, write);
        add(write, read);
      }
    }
  }
  return opposites;
}
