import { FormatError, ShapeError } from "../errors.ts";
import { bytesPerElement, countElements, fileBytes, quote, type Writable } from "./host-tensor.ts";

/** Names and values, as a Map, an array of pairs or an object has them. */
export type Named<T> = Iterable<readonly [string, T]> | Readonly<Record<string, T>>;

/**
 * The chunks of a safetensors file, a tensor at a time: data given as a function is asked for when its turn comes.
 *
 * Wider elements go first, which aligns every tensor to its elements; otherwise the order is kept. Follows
 * https://huggingface.co/docs/safetensors/index#format.
 *
 * @throws ShapeError if data is not as long as its shape says; FormatError if its type is not the one it claims, or a
 * name comes twice.
 */
export async function* writeSafetensors(
  tensors: Named<Writable>,
  metadata: Named<string> = [],
): AsyncGenerator<Uint8Array> {
  const sorted = pairs(tensors).sort(([, a], [, b]) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype));
  yield encodeHeader(sorted, pairs(metadata));
  for (const [name, tensor] of sorted) yield await fileBytes(`safetensors: ${quote(name)}`, tensor);
}

function encodeHeader(
  tensors: readonly (readonly [string, Writable])[],
  metadata: readonly (readonly [string, string])[],
): Uint8Array {
  const members: [string, string][] = metadata.length
    ? [["__metadata__", encodeObject(metadata.map(([key, value]) => [key, metadataString(key, value)]))]]
    : [];
  let start = 0;
  for (const [name, { dtype, shape }] of tensors) {
    if (name === "__metadata__")
      throw new FormatError(
        `safetensors: a tensor has the name "__metadata__", which the format keeps for strings. Name it otherwise.`,
      );
    const count = countElements(shape, (what) => new ShapeError(`safetensors: ${quote(name)} ${what}.`));
    const end = start + count * bytesPerElement(dtype);
    members.push([name, JSON.stringify({ dtype: dtype.toUpperCase(), shape, data_offsets: [start, end] })]);
    start = end;
  }
  const json = new TextEncoder().encode(encodeObject(members));
  // Spaces after it make the data begin at a multiple of 8.
  const padded = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(json, 8);
  return padded;
}

function metadataString(key: string, value: string): string {
  if (typeof value === "string") return JSON.stringify(value);
  throw new FormatError(
    `safetensors: the metadata ${quote(key)} is a ${typeof value}, not a string. Write String(…) or JSON of it.`,
  );
}

/** Text rather than an object to stringify, which would take `__proto__` for its prototype and move names like `1`. */
function encodeObject(members: readonly (readonly [string, string])[]): string {
  const seen = new Set<string>();
  const encoded = members.map(([name, json], i) => {
    if (seen.has(name))
      throw new FormatError(
        `safetensors: the name ${quote(name)} is taken when it comes again, as entry ${i}. Give each its own.`,
      );
    seen.add(name);
    return `${JSON.stringify(name)}:${json}`;
  });
  return `{${encoded.join()}}`;
}

const pairs = <T>(named: Named<T>): (readonly [string, T])[] => [
  ...(Symbol.iterator in named
    ? (named as Iterable<readonly [string, T]>)
    : Object.entries(named as Record<string, T>)),
];
