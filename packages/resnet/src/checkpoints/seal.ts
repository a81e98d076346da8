import { FormatError, hostTensor, type TensorEntry, type Writable } from "@shadegrad/tensor/formats";
import { type CheckpointTensor, quote } from "./checkpoint-file.ts";
import { sha256 } from "./sha256.ts";

/** Metadata that seal a file: SHA-256 of each tensor's bytes by name, and of all that the header says. */
const TENSORS = "sha256.tensors";
const HEADER = "sha256";

type Header = ReadonlyMap<string, Pick<Writable, "dtype" | "shape">>;

/**
 * Tensors with their numbers on the host, and `metadata` with the digests of them all, so that one changed bit is noticed.
 *
 * A header comes before its numbers, so a file can be sealed only once all numbers are known.
 */
export async function sealed(
  tensors: ReadonlyMap<string, Writable>,
  metadata: Readonly<Record<string, string>>,
): Promise<{ tensors: Map<string, Writable>; metadata: Record<string, string> }> {
  const known = new Map<string, Writable>();
  const digests: Record<string, string> = {};
  for (const [name, { dtype, shape, data }] of tensors) {
    const values = typeof data === "function" ? await data() : data;
    known.set(name, { dtype, shape, data: values });
    digests[name] = await sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  const notes = { ...metadata, [TENSORS]: JSON.stringify(digests) };
  delete (notes as Partial<Record<string, string>>)[HEADER];
  return {
    tensors: known,
    metadata: { ...notes, [HEADER]: await headerDigest(known, Object.entries(notes)) },
  };
}

/**
 * The tensors of a file, each of which is compared with its digest when it is read, if the file is sealed.
 *
 * @throws FormatError if the header is not as it was sealed; when read, if a tensor is not.
 */
export async function unsealed(
  entries: ReadonlyMap<string, TensorEntry>,
  metadata: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, CheckpointTensor>> {
  const [digests, header] = [metadata.get(TENSORS), metadata.get(HEADER)];
  if (digests === undefined && header === undefined) return entries;
  const notes = [...metadata].filter(([key]) => key !== HEADER);
  if (digests === undefined || header !== (await headerDigest(entries, notes)))
    throw changed("its names, shapes and notes are not those");
  const expected = new Map(Object.entries(JSON.parse(digests) as Record<string, string>));
  return new Map([...entries].map(([name, entry]) => [name, verified(entry, expected.get(name))]));
}

const verified = (entry: TensorEntry, expected: string | undefined): CheckpointTensor => ({
  dtype: entry.dtype,
  shape: entry.shape,
  async read() {
    const bytes = await entry.bytes();
    if ((await sha256(bytes)) !== expected)
      throw changed(`the numbers of ${quote(entry.name)} are not those`);
    return hostTensor(entry.dtype, entry.shape, bytes);
  },
});

/** SHA-256 of names, types, shapes and notes, in whatever order they stand. */
function headerDigest(tensors: Header, notes: readonly (readonly [string, string])[]): Promise<string> {
  const rows = [...tensors].map(([name, { dtype, shape }]) => JSON.stringify([name, dtype, shape]));
  const lines = [...rows, ...notes.map((note) => JSON.stringify(note))].sort();
  return sha256(new TextEncoder().encode(lines.join("\n")));
}

const changed = (what: string): FormatError =>
  new FormatError(
    `safetensors: ${what} that it was saved with, by its SHA-256. Fetch the file again; if it was changed on purpose, remove "${TENSORS}" and "${HEADER}" from its metadata.`,
  );
