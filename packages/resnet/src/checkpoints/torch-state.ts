import { FormatError } from "@shadegrad/tensor/formats";
import type { CheckpointTensor } from "./checkpoint.ts";
import { describe } from "./pickle.ts";
import { TorchTensor } from "./torch-tensor.ts";

/** Where training scripts put the state of the net, among that of the optimizer and others. */
const INSIDE = ["state_dict", "model_state_dict", "model_state", "model", "net", "state"];

/**
 * The state dict in what a file holds, and the numbers and strings beside it.
 *
 * @throws FormatError if there is none.
 */
export function stateOf(value: unknown): {
  tensors: ReadonlyMap<string, CheckpointTensor>;
  metadata: ReadonlyMap<string, string>;
} {
  if (!(value instanceof Map)) throw noState(describe(value));
  const metadata = new Map<string, string>();
  for (const [key, item] of value) {
    if (typeof key === "string" && ["string", "number", "bigint", "boolean"].includes(typeof item))
      metadata.set(key, String(item));
  }
  for (const state of [...INSIDE.map((key) => value.get(key)), value]) {
    if (!(state instanceof Map)) continue;
    const tensors = new Map<string, CheckpointTensor>();
    for (const [name, item] of state) {
      if (typeof name === "string" && item instanceof TorchTensor) tensors.set(name, item);
    }
    if (tensors.size > 0) return { tensors, metadata };
  }
  const keys = [...value.keys()].slice(0, 8).map(describe).join(", ");
  throw noState(`a dict of ${value.size} entries${keys && `: ${keys}`}`);
}

const noState = (found: string) =>
  new FormatError(
    `pickle: there is no state dict in it, but ${found}. Expected tensors by name, or a dict with them as one of ${INSIDE.join(", ")}.`,
  );
