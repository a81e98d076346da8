import { BatchNorm2d, type Loaded, type LoadOptions, loadEntries, stateDict } from "@shadegrad/tensor/nn";
import { layersOf } from "../listen.ts";
import { ResNet } from "../zoo.ts";
import type { Checkpoint, CheckpointInput, CheckpointTensor } from "./checkpoint.ts";
import { namingOf } from "./naming.ts";
import { openCheckpoint } from "./open.ts";

/** What torchvision's batch norms add to their variances. */
export const TORCH_EPSILON = 1e-5;

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
  const loaded = await loadEntries(model, new Map(inOrder), {
    ...options,
    layout,
    nameOf,
    op: "loadCheckpoint",
  });
  setEpsilons(model, (name) => tensors.get(nameOf(name) ?? ""));
  return loaded;
}

/** Give batch norms the epsilon that their variances were saved with; a ResNet's have PyTorch's where none was. */
function setEpsilons(model: object, entryOf: (name: string) => CheckpointTensor | undefined): void {
  const usual = model instanceof ResNet ? TORCH_EPSILON : undefined;
  for (const [name, norm] of batchNormsOf(model)) {
    const entry = entryOf(name);
    if (entry) norm.eps = entry.epsilon ?? usual ?? norm.eps;
  }
}

/** The batch norms of a model, by the names of their variances. */
export function batchNormsOf(model: object): Map<string, BatchNorm2d> {
  const names = new Map([...stateDict(model)].map(([name, tensor]) => [tensor, name]));
  const norms = layersOf(model).flatMap(({ layer }) => (layer instanceof BatchNorm2d ? layer : []));
  return new Map(norms.map((norm) => [names.get(norm.runningVar)!, norm]));
}

const isOpen = (input: CheckpointInput | Checkpoint): input is Checkpoint =>
  typeof input === "object" && "tensors" in input;
