import { FormatError, type HostDType } from "@shadegrad/tensor/formats";
import { describe, Opaque, OpaqueClass } from "./opaque.ts";
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

type Args = readonly unknown[];

/** The names that a state dict is made of; none of them could act. */
export const TORCH_NAMES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...Object.entries(STORAGES).map(([name, dtype]) => [`torch.${name}`, new StorageType(dtype)] as const),
  ["collections.OrderedDict", dict],
  ["builtins.dict", dict],
  ["collections.defaultdict", () => new Map()],
  ["torch.Size", ([sides]: Args) => sides],
  ["torch._utils._rebuild_tensor", rebuild],
  ["torch._utils._rebuild_tensor_v2", rebuild],
  ["torch._utils._rebuild_parameter", rebuildParameter],
  ["torch._utils._rebuild_parameter_with_state", rebuildParameter],
  ["torch._tensor._rebuild_from_type_v2", rebuildFromType],
]);

/** Python 3 makes it empty and adds to it; Python 2 gives it a list of pairs. */
function dict([pairs = []]: Args): Map<unknown, unknown> {
  if (pairs instanceof Map) return new Map(pairs);
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2))
    throw new FormatError(
      `pickle: a dict is made of ${describe(pairs)}, not of pairs. Fetch the file again.`,
    );
  return new Map(pairs as [unknown, unknown][]);
}

/** A tensor; one of a type that is not read, such as complex numbers, is passed over. */
function rebuild([storage, offset, size, stride]: Args): TorchTensor | Opaque {
  if (storage instanceof Opaque) return new Opaque("torch.Tensor");
  return rebuildTensor(storage, offset, size, stride);
}

function rebuildParameter([data]: Args): TorchTensor | Opaque {
  if (data instanceof TorchTensor || data instanceof Opaque) return data;
  throw new FormatError(
    `pickle: a parameter is made of ${describe(data)}, not of a tensor. Fetch the file again.`,
  );
}

/** A tensor with attributes, or of a class derived from tensors: the tensor alone. */
function rebuildFromType([make, , args]: Args): unknown {
  const isKnown = make === rebuild || make === rebuildParameter;
  return isKnown && Array.isArray(args)
    ? (make as (args: Args) => unknown)(args)
    : new Opaque("torch.Tensor");
}

/** A storage as a persistent id names it. */
export interface StorageId {
  readonly dtype: HostDType;
  readonly key: string;
  readonly elements: number;
  /** Part of another storage, which only the legacy format has. */
  readonly view: unknown;
}

/**
 * Parse `('storage', torch.FloatStorage, key, location, elements)`; a storage of a type that is not read is passed over.
 *
 * @throws FormatError if the id is another.
 */
export function storageId(id: unknown): StorageId | Opaque {
  const [kind, type, key, , elements, view] = Array.isArray(id) ? (id as unknown[]) : [];
  if (kind === "storage" && type instanceof OpaqueClass && /^torch\b/.test(type.name))
    return new Opaque(type.name);
  const isStorageId = kind === "storage" && type instanceof StorageType && typeof key === "string";
  if (isStorageId && Number.isSafeInteger(elements) && (elements as number) >= 0)
    return { dtype: type.dtype, key, elements: elements as number, view };
  // Older versions saved a class as ('module', class, source file, source).
  if (kind === "module" && type instanceof OpaqueClass) return new Opaque(type.name);
  throw new FormatError("pickle: a persistent id is not that of a storage. Fetch the file again.");
}
