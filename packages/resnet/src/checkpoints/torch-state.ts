import { bytesPerElement, FormatError } from "@shadegrad/tensor/formats";
import type { CheckpointTensor } from "./checkpoint-file.ts";
import { findNet, isAverage } from "./find-net.ts";
import { describe, Opaque } from "./opaque.ts";
import { type TorchStorage, TorchTensor } from "./torch-tensor.ts";

/** Keys under which training scripts put the state of the net, the likelier first; "" is the file's own dict. */
const INSIDE = ["state_dict", "model_state_dict", "model_state", "model", "net", "network", "state", ""];

/** Objects that are looked through for a state dict: no checkpoint nests it deeper, or among more. */
const MAX_DEPTH = 8;
const MAX_VISITED = 100_000;

interface State {
  readonly path: readonly string[];
  readonly tensors: ReadonlyMap<string, TorchTensor>;
}

/**
 * The state dict in what a file holds, and the numbers and strings beside it.
 *
 * Of several, as of a net, its running average and an optimizer, the one with a ResNet's names.
 *
 * @throws FormatError if there is none, or its tensors are views of the same numbers again and again.
 */
export function stateOf(value: unknown): {
  tensors: ReadonlyMap<string, CheckpointTensor>;
  metadata: ReadonlyMap<string, string>;
} {
  const metadata = new Map<string, string>();
  for (const [key, item] of value instanceof Map ? value : []) {
    if (typeof key === "string" && ["string", "number", "bigint", "boolean"].includes(typeof item))
      metadata.set(key, String(item));
  }
  const states = statesIn(value);
  const [first, ...rest] = states;
  if (!first) throw noState(value);
  const best = rest.reduce((best, other) => (comesBefore(other, best) ? other : best), first);
  checkTotal(best.tensors);
  return { tensors: best.tensors, metadata };
}

/** True if `a` is the likelier state of a net. */
function comesBefore(a: State, b: State): boolean {
  const [isA, isB] = [a, b].map((state) => rank(state)) as [number[], number[]];
  const differs = isA.findIndex((part, i) => part !== isB[i]);
  return differs >= 0 && isA[differs]! < isB[differs]!;
}

function rank({ path, tensors }: State): number[] {
  const place = INSIDE.indexOf(path.at(-1) ?? "");
  return [
    findNet(tensors, "torch") ? 0 : 1,
    isAverage(path.join(".")) ? 1 : 0,
    place < 0 ? INSIDE.length : place,
    path.length,
  ];
}

/** Every dict with tensors by name, and every module that was saved whole. */
function statesIn(root: unknown): State[] {
  const states: State[] = [];
  const seen = new Set<unknown>();
  let level: { value: unknown; path: readonly string[] }[] = [{ value: root, path: [] }];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const below: typeof level = [];
    for (const { value, path } of level) {
      if (seen.has(value) || seen.size > MAX_VISITED) continue;
      seen.add(value);
      const whole = moduleState(value);
      const items = whole ?? itemsOf(value);
      const tensors = new Map<string, TorchTensor>();
      for (const [name, item] of items) {
        if (typeof name !== "string") continue;
        if (item instanceof TorchTensor) tensors.set(name, item);
        else if (!whole && (item instanceof Map || item instanceof Opaque))
          below.push({ value: item, path: name === "" ? path : [...path, name] });
      }
      if (tensors.size > 0) states.push({ path, tensors });
    }
    level = below;
  }
  return states;
}

/** Items of a dict; of an object whose class is not known, its items and attributes. */
function itemsOf(value: unknown): Iterable<readonly [unknown, unknown]> {
  if (value instanceof Map) return value;
  return value instanceof Opaque ? value.items : [];
}

/** The state dict of a module that was saved whole, by the names that PyTorch would give. */
function moduleState(module: unknown): Map<string, TorchTensor> | undefined {
  if (!attributesOf(module)?.has("_parameters")) return undefined;
  const state = new Map<string, TorchTensor>();
  const waiting: [module: unknown, prefix: string][] = [[module, ""]];
  const seen = new Set<unknown>();
  while (waiting.length > 0) {
    const [next, prefix] = waiting.pop()!;
    const attributes = attributesOf(next);
    if (!attributes || seen.has(next)) continue;
    seen.add(next);
    for (const kind of ["_parameters", "_buffers"]) {
      for (const [name, tensor] of itemsOf(attributes.get(kind)))
        if (typeof name === "string" && tensor instanceof TorchTensor) state.set(prefix + name, tensor);
    }
    for (const [name, inside] of itemsOf(attributes.get("_modules")))
      if (typeof name === "string") waiting.push([inside, `${prefix}${name}.`]);
  }
  return state;
}

function attributesOf(value: unknown): ReadonlyMap<unknown, unknown> | undefined {
  const attributes = value instanceof Opaque ? value.items.get("") : undefined;
  return attributes instanceof Map ? attributes : undefined;
}

/** Tied weights share a storage; beyond that, a small file could ask for any memory. */
function checkTotal(tensors: ReadonlyMap<string, TorchTensor>): void {
  let bytes = 0;
  const storages = new Map<TorchStorage["key"], number>();
  for (const tensor of tensors.values()) {
    const width = bytesPerElement(tensor.dtype);
    bytes += tensor.elements * width;
    storages.set(tensor.storage.key, tensor.storage.elements * width);
  }
  const stored = [...storages.values()].reduce((sum, size) => sum + size, 0);
  if (bytes > 4 * stored + (1 << 20))
    throw new FormatError(
      `pickle: its ${tensors.size} tensors have ${bytes} bytes, but are views of ${stored} bytes in the file. Save tensors made contiguous.`,
    );
}

function noState(value: unknown): FormatError {
  const keys = value instanceof Map ? [...value.keys()].slice(0, 8).map(describe).join(", ") : "";
  const found =
    value instanceof Map ? `a dict of ${value.size} entries${keys && `: ${keys}`}` : describe(value);
  return new FormatError(
    `pickle: there is no state dict in it, but ${found}. Expected tensors by name, or a dict with them as one of ${INSIDE.filter(Boolean).join(", ")}.`,
  );
}
