import { type Loaded, type LoadOptions, loadEntries, stateDict } from "@shadegrad/tensor/nn";
import { ResNet } from "../zoo.ts";
import type { Checkpoint, CheckpointInput } from "./checkpoint.ts";
import { namingOf } from "./naming.ts";
import { openCheckpoint } from "./open.ts";

/**
 * Load published or saved weights into a net, converted to its layout, one tensor at a time.
 *
 * Any format that `openCheckpoint` knows; the names of torchvision, of the usual CIFAR nets, of Keras, or the net's own.
 * Counts of batches may be missing, as in files older than they are; nothing else, if `strict`.
 *
 * @throws FormatError if the file is something else, damaged, or has other tensors: all that are missing, unexpected
 * or misshapen, under the file's names. Damage found in the midst of the numbers leaves the net half loaded.
 */
export async function loadCheckpoint(
  model: object,
  input: CheckpointInput | Checkpoint,
  options: LoadOptions = {},
): Promise<Loaded> {
  if (!isOpen(input)) {
    const checkpoint = await openCheckpoint(input);
    try {
      return await loadCheckpoint(model, checkpoint, options);
    } finally {
      await checkpoint.close();
    }
  }
  const { tensors, layout } = input;
  const own = (name: string) => name;
  const naming = model instanceof ResNet ? namingOf([...stateDict(model).keys()], model, tensors) : own;
  const nameOf = (name: string) => {
    const called = model instanceof ResNet ? naming(name, model) : name;
    const mayLack = name.endsWith("num_batches_tracked");
    return called !== undefined && mayLack && !tensors.has(called) ? undefined : called;
  };
  const inOrder = [...tensors].sort(([, a], [, b]) => (a.position ?? 0) - (b.position ?? 0));
  return loadEntries(model, new Map(inOrder), { ...options, layout, nameOf, op: "loadCheckpoint" });
}

const isOpen = (input: CheckpointInput | Checkpoint): input is Checkpoint =>
  typeof input === "object" && "tensors" in input;
