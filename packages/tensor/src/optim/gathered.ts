import { PACKED, type Part, pack, packParams } from "@shadegrad/kernels-wgsl/pack";
import { writeAdjacent } from "../compile/adjacent.ts";
import { bytesOf, divided, isContiguous, spanOf } from "../core/adjacent.ts";
import { recorder } from "../core/recorder.ts";
import { run } from "../core/run.ts";
import { padded } from "../core/storage.ts";
import { empty, type Tensor } from "../core/tensor.ts";

/**
 * The same tensors as few flat ones, `[n]` f32, of which all together are as long as the tensors with their padding, which
 * is 0. Those that do not lie one after the other yet are moved, on the GPU, for all that share their memory. Whoever called
 * owns the flat ones.
 */
export function gathered(tensors: readonly Tensor[]): Tensor[] {
  if (!canGather(tensors)) return tensors.map((x) => spanOf([x]));
  return divided(tensors).map((some) => {
    if (!isContiguous(some)) packed(some);
    return spanOf(some);
  });
}

/** True if each tensor has memory of its own that may move now. */
function canGather(tensors: readonly Tensor[]): boolean {
  const storages = new Set(tensors.map(({ storage }) => storage));
  const isRecording = recorder() !== undefined;
  return (
    storages.size === tensors.length &&
    tensors.every(
      ({ dtype, storage }) => dtype === "f32" && storage.isPlanned === isRecording && storage.bytes > 0,
    )
  );
}

function packed(tensors: readonly Tensor[]): void {
  const { device } = tensors[0]!;
  const flat = empty([bytesOf(tensors) / 4], "f32", device);
  let start = 0;
  const parts = tensors.map(({ size, storage }): Part => {
    const part = { start, length: size, space: padded(storage.bytes) / 4, splits: 1 };
    start += part.space;
    return part;
  });
  for (let first = 0; first < tensors.length; first += PACKED) {
    const some = tensors.slice(first, first + PACKED);
    const reads = Array.from({ length: PACKED }, (_, k) => some[k] ?? some[0]!);
    run(pack, packParams(parts.slice(first, first + PACKED)), reads, { flat });
  }
  tensors.forEach(({ storage }, k) => {
    storage.moveInto(flat.storage, 4 * parts[k]!.start);
  });
  const into = recorder();
  if (into) into.writeAdjacent = writeAdjacent;
  flat.dispose();
}
