import type { Recorded, TensorBinding } from "../core/recorder.ts";
import { Storage } from "../core/storage.ts";

/** Storages that a binding covers: several if it spans adjacent ones. */
export const storagesOf = ({ storage }: TensorBinding): readonly Storage[] =>
  storage.parts.length > 0 ? storage.parts : [storage];

/** True if both are the same memory, from the same place on. */
export const isSameBinding = (a: TensorBinding, b: TensorBinding): boolean =>
  a.storage === b.storage && a.at?.offset === b.at?.offset;

/** An output that a launch of a pass allocates: `size` elements, of the type and the device of another binding. */
export const newOutput = (
  { storage: { device }, dtype }: TensorBinding,
  size: number,
): Recorded["writes"][number] => {
  const storage = new Storage(device, size * (dtype === "f16" ? 2 : 4), "a tensor of a plan", "planned");
  return { storage, size, dtype, allocated: true };
};
