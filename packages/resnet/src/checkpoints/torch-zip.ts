import { type ByteSource, bytesPerElement, FormatError } from "@shadegrad/tensor/formats";
import { type Checkpoint, quote } from "./checkpoint-file.ts";
import { Opaque } from "./opaque.ts";
import { readPickle } from "./pickle.ts";
import { storageId, TORCH_NAMES } from "./torch-names.ts";
import { stateOf } from "./torch-state.ts";
import { lastOnly, type TorchStorage } from "./torch-tensor.ts";
import { openZip } from "./zip.ts";

const AGAIN = "Fetch the file again, or save it with torch.save";

/**
 * Open what `torch.save` writes since PyTorch 1.6: a zip archive of `data.pkl` and one uncompressed entry per storage.
 *
 * @throws FormatError if the archive is damaged, holds something else, or its pickle asks for more than tensors.
 */
export async function openTorchZip(source: ByteSource): Promise<Checkpoint> {
  const parts = await openZip(source);
  const pickle = [...parts.keys()].find((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  if (pickle === undefined) throw notTorch([...parts.keys()]);
  const folder = pickle.slice(0, -"data.pkl".length);
  if (parts.has(`${folder}constants.pkl`))
    throw new FormatError(
      "zip: this is a TorchScript program, expected a state dict. In PyTorch, save torch.jit.load(…).state_dict().",
    );
  const order = await parts.get(`${folder}byteorder`)?.read();
  if (order && new TextDecoder().decode(order.subarray(0, 16)) !== "little")
    throw new FormatError("zip: the numbers are not little-endian. Save the checkpoint on such a machine.");

  const positions = new Map([...parts.keys()].map((name, i) => [name, i]));
  const read = lastOnly((name: string) => parts.get(name)!.read());
  const persistent = (id: unknown): TorchStorage | Opaque => {
    const storage = storageId(id);
    if (storage instanceof Opaque) return storage;
    const { dtype, key, elements } = storage;
    const name = `${folder}data/${key}`;
    const bytes = elements * bytesPerElement(dtype);
    const found = parts.get(name)?.bytes;
    if (found === undefined) throw new FormatError(`zip: there is no storage ${quote(name)}. ${AGAIN}.`);
    if (found < bytes)
      throw new FormatError(
        `zip: storage ${quote(name)} has ${found} bytes, but ${elements} elements of ${dtype} take ${bytes}. ${AGAIN}.`,
      );
    return { key, dtype, elements, position: () => positions.get(name)!, read: () => read(name) };
  };
  const { value } = readPickle(await parts.get(pickle)!.read(), 0, {
    known: TORCH_NAMES,
    persistent,
    fileBytes: source.size ?? 0,
  });
  return { format: "PyTorch", layout: "torch", ...stateOf(value), close: () => source.close() };
}

function notTorch(names: readonly string[]): FormatError {
  const some = `${names.slice(0, 4).map(quote).join(", ")}${names.length > 4 ? ", …" : ""}`;
  const what = names.every((name) => name.endsWith(".npy"))
    ? "a NumPy .npz archive"
    : "a zip archive without the data.pkl of torch.save";
  return new FormatError(
    `zip: this is ${what}, expected a PyTorch checkpoint. It has ${names.length} entries${names.length ? `: ${some}` : ""}.`,
  );
}
