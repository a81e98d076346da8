import type { Recorded, TensorBinding } from "../core/recorder.ts";
import type { Storage } from "../core/storage.ts";
import { storagesOf } from "./bindings.ts";

/** Keep the launches whose results reach `kept` or pre-existing tensors. */
export function dropUnread(launches: readonly Recorded[], kept: ReadonlySet<Storage>): Recorded[] {
  const needed = new Set(kept);
  const needing: Recorded[] = [];
  for (const launch of [...launches].reverse()) {
    if (!launch.writes.some(({ storage }) => needed.has(storage) || !storage.isPlanned)) continue;
    for (const { storage } of launch.reads) needed.add(storage);
    needing.push(launch);
  }
  return needing.reverse();
}

/** Number of launches that read each storage. */
export function countReaders(launches: readonly Recorded[]): Map<Storage, number> {
  const readers = new Map<Storage, number>();
  for (const { reads } of launches) {
    for (const storage of new Set(reads.map(({ storage }) => storage))) {
      readers.set(storage, (readers.get(storage) ?? 0) + 1);
    }
  }
  return readers;
}

/** Pre-existing storages that no launch writes. */
export function unchanged(launches: readonly Recorded[]): Set<Storage> {
  const known = new Set(launches.flatMap(({ reads }) => reads.flatMap(storagesOf)));
  for (const storage of known) if (storage.isPlanned) known.delete(storage);
  for (const { writes } of launches) for (const storage of writes.flatMap(storagesOf)) known.delete(storage);
  return known;
}

/**
 * Divide launches into the constant ones, whose results stay the same while pre-existing tensors, such as weights, are
 * unchanged, and the varying ones.
 */
export function divide<L extends Recorded>(launches: readonly L[]): { constant: L[]; varying: L[] } {
  const changed = new Set(
    launches.flatMap(({ writes }) => writes.flatMap((write) => (write.allocated ? [] : storagesOf(write)))),
  );
  const known = new Set<Storage>();
  const isKnown = (read: TensorBinding) =>
    storagesOf(read).every((storage) => (storage.isPlanned ? known.has(storage) : !changed.has(storage)));
  const constant: L[] = [];
  const varying: L[] = [];
  for (const launch of launches) {
    const { reads, writes, paramsAtCall } = launch;
    const is =
      !paramsAtCall &&
      reads.every(isKnown) &&
      writes.every(({ storage, allocated }) => allocated && !changed.has(storage));
    (is ? constant : varying).push(launch);
    if (is) for (const { storage } of writes) known.add(storage);
  }
  return { constant, varying };
}
