import { checkOptions } from "@shadegrad/tensor";
import { FormatError, type HostTensor, toFloat32 } from "@shadegrad/tensor/formats";
import { BatchNorm2d, type Loaded, type LoadOptions, loadEntries, stateDict } from "@shadegrad/tensor/nn";
import { layersOf } from "../listen.ts";
import { ResNet } from "../zoo.ts";
import type { Checkpoint, CheckpointInput, CheckpointTensor } from "./checkpoint-file.ts";
import { namesFoundAndSought } from "./find-net.ts";
import { labelsOf } from "./labels.ts";
import { matchNames } from "./match-names.ts";
import { modelOf } from "./model-of.ts";
import { openCheckpoint } from "./open.ts";

/** torchvision's batch norms add this to their variances. */
export const TORCH_EPSILON = 1e-5;

export interface LoadCheckpointOptions extends LoadOptions {
  /** `false` leaves a ResNet's head as it is, whatever the file's classes are. */
  head?: boolean;
}

const OPTIONS: readonly (keyof LoadCheckpointOptions)[] = ["strict", "head"];

/**
 * Load published or saved weights into a net, converted to its layout, one tensor at a time.
 *
 * Any format that `openCheckpoint` knows, under any prefix; the names of torchvision, of the usual CIFAR nets, of Hugging
 * Face, of Keras, or the net's own. A ResNet's base loads from the file of a whole net. Counts of batches may be missing,
 * as in files older than they are; nothing else, if `strict`.
 *
 * @throws FormatError if the file is something else, damaged, or has other tensors: all that are missing, unexpected
 * or misshapen, under the file's names. Damage found in the midst of the numbers leaves the net half loaded.
 */
export async function loadCheckpoint(
  model: object,
  input: CheckpointInput | Checkpoint,
  options: LoadCheckpointOptions = {},
): Promise<Loaded> {
  checkOptions("loadCheckpoint", options, OPTIONS);
  if (!isOpen(input)) {
    const checkpoint = await openCheckpoint(input);
    try {
      return await loadCheckpoint(model, checkpoint, options);
    } finally {
      await checkpoint.close();
    }
  }
  const { tensors, layout } = input;
  const { head = true, ...others } = options;
  const match = matchNames(model, [...stateDict(model).keys()], input, head);
  if (match.found === 0)
    throw new FormatError(
      `loadCheckpoint: the file has none of the model's tensors. ${namesFoundAndSought(tensors)}`,
    );
  const nameOf = (name: string) => {
    const called = match.nameOf(name);
    return called !== undefined && isCounter(name) && !tensors.has(called) ? undefined : called;
  };
  const entries = match.names
    .map((name) => [name, isCounter(name) ? counter(tensors.get(name)!) : tensors.get(name)!] as const)
    .sort(([, a], [, b]) => (a.position ?? 0) - (b.position ?? 0));
  const loaded = await loadEntries(model, new Map(entries), {
    ...others,
    layout,
    nameOf,
    op: "loadCheckpoint",
  });
  if (model instanceof ResNet) describe(model, input, head);
  setEpsilons(model, (name) => tensors.get(nameOf(name) ?? ""));
  return loaded;
}

/** Store the file's preprocessing and, with the head, its class names in the net. */
function describe(net: ResNet, file: Checkpoint, head: boolean): void {
  const preprocessing = modelOf(file)?.preprocessing;
  if (preprocessing) net.preprocessing = preprocessing;
  const labels = head ? labelsOf(file.metadata) : undefined;
  if (labels?.length === net.options.classes) net.labels = labels;
}

const isOpen = (input: CheckpointInput | Checkpoint): input is Checkpoint =>
  typeof input === "object" && input !== null && "tensors" in input;

const isCounter = (name: string): boolean => name.endsWith("num_batches_tracked");

const MAX_COUNT = 2 ** 31 - 1;

/** A counter of batches as a whole number, though a net that was cast to half or float has it as such. */
function counter(entry: CheckpointTensor): CheckpointTensor {
  if (!/f/.test(entry.dtype)) return entry;
  const { dtype, shape, position } = entry;
  return {
    dtype,
    shape,
    ...(position !== undefined && { position }),
    async read(): Promise<HostTensor> {
      const counts = toFloat32(await entry.read());
      // Above 65504 a half is infinite; NaN counts nothing.
      const data = Int32Array.from(counts, (count) => Math.min(Math.max(Math.round(count), 0), MAX_COUNT));
      return { dtype: "i32", shape, data };
    },
  };
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
