/** Parts of names that wrappers of a net add, at any depth: DataParallel, torch.compile, FSDP, activation checkpoints. */
const WRAPPERS = new Set(["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]);

/** The counter that torch.optim.swa_utils.AveragedModel keeps beside the net that it wraps. */
const COUNTER = "n_averaged";

/** A name without what wrappers added to it. */
export const unwrappedName = (name: string): string =>
  name
    .split(".")
    .filter((part) => !WRAPPERS.has(part))
    .join(".");

/** Tensors by the names that they have without wrappers; as they are, if two would have the same. */
export function unwrapped<T>(tensors: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const renamed = new Map<string, T>();
  for (const [name, tensor] of tensors) if (name !== COUNTER) renamed.set(unwrappedName(name), tensor);
  const isWrapped = [...tensors.keys()].some((name) => unwrappedName(name) !== name);
  const dropped = tensors.has(COUNTER) ? 1 : 0;
  return isWrapped && renamed.size === tensors.size - dropped && !renamed.has("") ? renamed : tensors;
}
