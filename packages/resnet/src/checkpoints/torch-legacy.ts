import { type ByteSource, bytesPerElement, FormatError } from "@shadegrad/tensor/formats";
import { type Checkpoint, quote } from "./checkpoint-file.ts";
import { describe, Opaque } from "./opaque.ts";
import { readPickle } from "./pickle.ts";
import { TruncatedPickle } from "./pickle-bytes.ts";
import { storageId, TORCH_NAMES } from "./torch-names.ts";
import { stateOf } from "./torch-state.ts";
import { lastOnly, type TorchStorage } from "./torch-tensor.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** State dicts without their numbers are small; a larger one is read again, four times as much of it. */
const FIRST_READ = 1 << 20;

/** A storage as the file has it; its start is known once all pickles are read. */
interface Root {
  readonly dtype: TorchStorage["dtype"];
  readonly elements: number;
  readonly bytes: number;
  start?: number;
}

/**
 * Open what `torch.save` wrote before PyTorch 1.6: pickles of a magic number, a protocol, the machine, the object and
 * the keys of its storages; then the storages in that order, each as its length and its elements.
 *
 * @throws FormatError if the file is damaged, or its pickle asks for more than tensors.
 */
export async function openTorchLegacy(source: ByteSource): Promise<Checkpoint> {
  const { value, roots, keys, end } = await readPickles(source);
  await locate(source, roots, keys, end);
  return { format: "PyTorch (legacy)", layout: "torch", ...stateOf(value), close: () => source.close() };
}

async function readPickles(source: ByteSource) {
  for (let length = FIRST_READ; ; length *= 4) {
    const bytes = await source.read(0, length);
    try {
      return parse(bytes, source);
    } catch (error) {
      if (!(error instanceof TruncatedPickle) || bytes.length < length) throw error;
    }
  }
}

function parse(bytes: Uint8Array, source: ByteSource) {
  const roots = new Map<string, Root>();
  const read = lastOnly((key: string) => readRoot(source, key, roots.get(key)!));
  let at = 0;
  const next = (persistent: (id: unknown) => unknown): unknown => {
    const { value, end } = readPickle(bytes, at, {
      known: TORCH_NAMES,
      persistent,
      fileBytes: source.size ?? bytes.length,
    });
    at = end;
    return value;
  };
  const none = () => {
    throw damaged("a pickle before the object's has a persistent id");
  };
  const magic = next(none);
  if (magic !== MAGIC)
    throw damaged(`the file begins with ${describe(magic)}, not with torch.save's magic number`);
  const protocol = next(none);
  if (protocol !== PROTOCOL) throw damaged(`the protocol is ${describe(protocol)}, not ${PROTOCOL}`);
  const machine = next(none);
  if (machine instanceof Map && machine.get("little_endian") === false)
    throw damaged("the numbers are not little-endian", "Save the checkpoint on such a machine");
  const value = next((id) => storage(id, roots, read));
  const keys = next(none);
  if (!Array.isArray(keys)) throw damaged(`${describe(keys)} is where the list of storages belongs`);
  return { value, roots, keys, end: at };
}

function storage(
  id: unknown,
  roots: Map<string, Root>,
  read: (key: string) => Promise<Uint8Array>,
): TorchStorage | Opaque {
  const found = storageId(id);
  if (found instanceof Opaque) return found;
  const { dtype, key, elements, view } = found;
  const width = bytesPerElement(dtype);
  const root = roots.get(key) ?? { dtype, elements, bytes: elements * width };
  roots.set(key, root);
  if (root.dtype !== dtype || root.elements !== elements)
    throw damaged(
      `storage ${quote(key)} is ${elements} elements of ${dtype}, and before was ${root.elements} of ${root.dtype}`,
    );
  const position = () => root.start!;
  if (view === null || view === undefined) return { key, dtype, elements, position, read: () => read(key) };
  const [, offset, size] = Array.isArray(view) ? (view as unknown[]) : [];
  if (!isCount(offset) || !isCount(size) || offset + size > elements)
    throw damaged(`a part of storage ${quote(key)} lies outside of its ${elements} elements`);
  return {
    key,
    dtype,
    elements: size,
    position,
    read: async () => (await read(key)).subarray(offset * width, (offset + size) * width),
  };
}

/** Find each storage, and that the file is long enough for it. */
async function locate(source: ByteSource, roots: Map<string, Root>, keys: readonly unknown[], end: number) {
  const size = source.size ?? 0;
  let at = end;
  for (const key of keys) {
    const root = roots.get(key as string);
    if (root?.start !== undefined) throw damaged(`${describe(key)} is among the storages twice`);
    if (!root) throw damaged(`${describe(key)} is among the storages, but no tensor that is read has it`);
    const prefix = await source.read(at, 8);
    if (prefix.length < 8) throw damaged(`the file ends at byte ${size}, before storage ${describe(key)}`);
    const count = new DataView(prefix.buffer, prefix.byteOffset).getBigInt64(0, true);
    if (count !== BigInt(root.elements))
      throw damaged(`storage ${describe(key)} has ${count} elements, but its tensors say ${root.elements}`);
    root.start = at + 8;
    at = root.start + root.bytes;
    if (at > size) throw damaged(`the file has ${size} bytes, but storage ${describe(key)} ends at ${at}`);
  }
  const lost = [...roots].find(([, { start }]) => start === undefined);
  if (lost) throw damaged(`storage ${quote(lost[0])} is not in the file`);
}

async function readRoot(source: ByteSource, key: string, { start, bytes }: Root): Promise<Uint8Array> {
  const found = await source.read(start!, bytes);
  if (found.length < bytes) throw damaged(`storage ${quote(key)} has ${found.length} bytes left of ${bytes}`);
  return found;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const damaged = (what: string, advice = "Fetch the file again, or save it with torch.save") =>
  new FormatError(`PyTorch file: ${what}. ${advice}.`);
