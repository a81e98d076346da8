import { FormatError } from "../errors.ts";

/**
 * Source of a file's bytes, however they are reached.
 *
 * Failures of the medium (no such file, connection lost) are thrown as they come; the end of the source is no failure.
 */
export interface ByteSource {
  /** Total bytes; undefined until the end has been read. */
  readonly size: number | undefined;
  /** True if any offset can be read at any time; if not, each read begins where an earlier one ended, or after it. */
  readonly seekable: boolean;
  /**
   * `length` bytes from `offset`, fewer only where the source ends, so that `Infinity` reads the rest.
   *
   * They may be a view of the caller's own bytes: read them, do not write to them.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Let go of what opening the source took: not of a handle that was already open. */
  close(): Promise<void>;
}

/**
 * `length` bytes of zeros.
 *
 * @throws FormatError if there is no such room: a sparse file costs nothing to make, however large.
 */
export function allocate(length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new FormatError(
      `source: ${length} bytes are needed at once, more than this platform can allocate. Split the file into smaller tensors.`,
      { cause },
    );
  }
}

/** Make sure that the source ends at `end`; one that does not know its size yet is asked for one byte more. */
export async function expectEnd(
  source: ByteSource,
  end: number,
  fail: (size: string, short: boolean) => Error,
): Promise<void> {
  if (source.size === undefined) await source.read(end, 1);
  const { size } = source;
  if (size !== end) throw fail(String(size ?? `at least ${end + 1}`), size !== undefined && size < end);
}
