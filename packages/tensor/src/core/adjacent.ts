import { type DType, bytesOf as elementBytes } from "./dtype.ts";
import { recorder } from "./recorder.ts";
import { padded, Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";

/** True if the memory of b begins where that of a, with its padding, ends. */
export function areAdjacent({ storage: a }: Tensor, { storage: b }: Tensor): boolean {
  return a.whole !== undefined && a.whole === b.whole && b.offset === a.offset + padded(a.bytes);
}

/** True if each of these tensors begins where the one before ends. */
export const isContiguous = (tensors: readonly Tensor[]): boolean =>
  tensors.every((x, i) => i === 0 || areAdjacent(tensors[i - 1]!, x));

/**
 * Adjacent tensors as one of a type, the first one's unless given, `[n]`, the padding between them in it: what is written to it is written to them. One
 * tensor alone is itself, flat. Whoever called owns it.
 */
export function spanOf(tensors: readonly Tensor[], dtype: DType = tensors[0]!.dtype): Tensor {
  const [first] = tensors as readonly [Tensor];
  const { device, size } = first;
  if (tensors.length === 1) return first.view([size]);
  const bytes = bytesOf(tensors);
  const parts = tensors.map(({ storage }) => storage);
  return new Tensor(
    [bytes / elementBytes(dtype)],
    dtype,
    new Storage(device, bytes, "adjacent tensors", parts),
  );
}

/**
 * Move tensors into memory where they lie one after the other, in as few buffers as the device allows. They stay what they
 * are, for all that share their memory too; functions that were compiled before are recorded again. While `compile` records,
 * nothing moves.
 */
export function makeAdjacent(tensors: readonly Tensor[]): void {
  if (recorder()) return;
  for (const some of divided(tensors.filter(isMovable))) {
    if (some.length < 2 || isContiguous(some)) continue;
    const { device } = some[0]!;
    const whole = new Storage(device, bytesOf(some), "adjacent tensors", "exact");
    let offset = 0;
    for (const { storage } of some) {
      const { buffer, bytes } = storage;
      device.launcher.copy(buffer, storage.offset, whole.buffer, offset, Math.ceil(bytes / 4) * 4);
      storage.moveInto(whole, offset);
      offset += padded(bytes);
    }
    whole.release();
  }
}

const isMovable = ({ storage }: Tensor): boolean => !storage.isPlanned && storage.parts.length === 0;

/** Bytes of tensors that lie one after the other, with their padding. */
export const bytesOf = (tensors: readonly Tensor[]): number =>
  tensors.reduce((sum, { storage }) => sum + padded(storage.bytes), 0);

/** Divide tensors into runs of one device, none longer than it can bind at once. */
export function divided(tensors: readonly Tensor[]): Tensor[][] {
  const stretches: Tensor[][] = [];
  let bytes = 0;
  for (const x of tensors) {
    const last = stretches.at(-1);
    bytes += padded(x.storage.bytes);
    if (last && last[0]!.device === x.device && bytes <= x.device.largest) last.push(x);
    else {
      stretches.push([x]);
      bytes = padded(x.storage.bytes);
    }
  }
  return stretches;
}
