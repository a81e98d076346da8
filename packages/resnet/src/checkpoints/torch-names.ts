import { FormatError, type HostDType } from "@shadegrad/tensor/formats";
import { describe } from "./pickle.ts";
import { rebuildTensor, TorchTensor } from "./torch-tensor.ts";

/** The type of a storage, as the name of its class says it. */
class StorageType {
  readonly dtype: HostDType;

  constructor(dtype: HostDType) {
    this.dtype = dtype;
  }
}

const STORAGES: Readonly<Record<string, HostDType>> = {
  DoubleStorage: "f64",
  FloatStorage: "f32",
  HalfStorage: "f16",
  BFloat16Storage: "bf16",
  LongStorage: "i64",
  IntStorage: "i32",
  ShortStorage: "i16",
  CharStorage: "i8",
  ByteStorage: "u8",
  BoolStorage: "bool",
};

/** Everything that a state dict is made of, and nothing that could act. */
export const TORCH_NAMES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...Object.entries(STORAGES).map(([name, dtype]) => [`torch.${name}`, new StorageType(dtype)] as const),
  ["collections.OrderedDict", orderedDict],
  ["torch.Size", (sides: unknown) => sides],
  ["torch._utils._rebuild_tensor", rebuildTensor],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_parameter", rebuildParameter],
]);

/** Python 3 makes it empty and adds to it; Python 2 gives it a list of pairs. */
function orderedDict(pairs: unknown = []): Map<unknown, unknown> {
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2))
    throw new FormatError(
      `pickle: a dict is made of ${describe(pairs)}, not of pairs. Fetch the file again.`,
    );
  return new Map(pairs as [unknown, unknown][]);
}

function rebuildParameter(data: unknown): TorchTensor {
  if (data instanceof TorchTensor) return data;
  throw new FormatError(
    `pickle: a parameter is made of ${describe(data)}, not of a tensor. Fetch the file again.`,
  );
}

/**
 * What `('storage', torch.FloatStorage, key, location, elements)` says, to which the legacy format adds a view of it.
 *
 * @throws FormatError if the id is another.
 */
export function storageId(id: unknown): { dtype: HostDType; key: string; elements: number; view: unknown } {
  const [kind, type, key, , elements, view] = Array.isArray(id) ? (id as unknown[]) : [];
  const isStorage = kind === "storage" && type instanceof StorageType && typeof key === "string";
  if (!isStorage || !Number.isSafeInteger(elements) || (elements as number) < 0)
    throw new FormatError(
      `pickle: ${kind === "module" ? "it holds a whole module, expected a state dict. In PyTorch, save model.state_dict()" : "a persistent id is not that of a storage. Fetch the file again"}.`,
    );
  return { dtype: type.dtype, key, elements: elements as number, view };
}
