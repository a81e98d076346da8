import { type ByteSource, FormatError } from "@shadegrad/tensor/formats";
import { quote } from "./checkpoint-file.ts";

/** No checkpoint describes itself in more. */
const MAX_BYTES = 1 << 25;

/** Memory that an empty object takes once it is parsed, and what all may take beside three times the text. */
const OBJECT_BYTES = 64;
const FREE_BYTES = 1 << 25;

export interface JsonFile {
  readonly json: unknown;
  readonly bytes: Uint8Array;
}

/**
 * Read a file as JSON.
 *
 * @throws FormatError if it is none, or would take far more memory than it has bytes.
 */
export async function readJson(source: ByteSource, label: string): Promise<JsonFile> {
  const fail = (what: string) => new FormatError(`${label}: ${what}. Fetch the file again.`);
  if ((source.size ?? 0) > MAX_BYTES) throw fail(`it has ${source.size} bytes, more than ${MAX_BYTES}`);
  const bytes = await source.read(0, MAX_BYTES);
  let objects = 0;
  for (const byte of bytes) if (byte === 0x7b || byte === 0x5b) objects++;
  if (objects * OBJECT_BYTES > FREE_BYTES + 3 * bytes.length)
    throw fail(`it has about ${objects} objects and lists in ${bytes.length} bytes`);
  try {
    return { json: JSON.parse(new TextDecoder().decode(bytes)), bytes };
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof RangeError)) throw cause;
    throw new FormatError(`${label}: this is no JSON: ${cause.message}. Fetch the file again.`, { cause });
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A JSON value as a message shows it: the beginning of it, one level deep. */
export function shown(value: unknown): string {
  if (typeof value === "string") return value.slice(0, 80);
  if (typeof value !== "object" || value === null) return String(value);
  const inner = (item: unknown) =>
    typeof item === "string" ? quote(item) : typeof item === "object" && item !== null ? "…" : String(item);
  const some = Array.isArray(value)
    ? value.slice(0, 8).map(inner)
    : Object.entries(value)
        .slice(0, 8)
        .map(([key, item]) => `${quote(key)}:${inner(item)}`);
  const all = [...some, ...(Object.keys(value).length > 8 ? ["…"] : [])].join(",");
  return Array.isArray(value) ? `[${all}]` : `{${all}}`;
}
