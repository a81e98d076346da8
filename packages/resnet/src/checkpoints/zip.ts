import { type ByteSource, FormatError } from "@shadegrad/tensor/formats";
import { unzipRaw, type ZipEntry } from "unzipit";
import { quote } from "./checkpoint-file.ts";

/** One entry of an open archive. */
export interface ZipPart {
  readonly bytes: number;
  /** @throws FormatError if it is compressed, or the archive is damaged. */
  read(): Promise<Uint8Array>;
}

/** The medium failed, which is no fault of the format. */
class MediumFailure extends Error {}

/**
 * The entries of a zip archive by name; only its directory is read.
 *
 * @throws FormatError if the directory is damaged or missing.
 */
export async function openZip(source: ByteSource): Promise<ReadonlyMap<string, ZipPart>> {
  const size = source.size ?? 0;
  const reader = {
    getLength: async () => size,
    async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
      if (offset < 0 || offset + length > size)
        throw new Error(`${length} bytes at ${offset} are outside of the file's ${size}`);
      try {
        return (await source.read(offset, length)) as Uint8Array<ArrayBuffer>;
      } catch (cause) {
        throw new MediumFailure("source: the archive cannot be read", { cause });
      }
    },
  };
  const { entries } = await damageIsFormatError(() => unzipRaw(reader));
  const parts = new Map(entries.map((entry) => [entry.name, partOf(entry)]));
  if (parts.size < entries.length)
    throw new FormatError(
      `zip: ${entries.length} entries share ${parts.size} names. Fetch the file again, or save it again.`,
    );
  return parts;
}

const partOf = (entry: ZipEntry): ZipPart => ({
  bytes: entry.size,
  async read() {
    // A compressed entry could claim any size.
    if (entry.compressionMethod !== 0)
      throw new FormatError(
        `zip: ${quote(entry.name)} is compressed, which torch.save never does. Pack it uncompressed, or save it again.`,
      );
    return new Uint8Array(await damageIsFormatError(() => entry.arrayBuffer()));
  },
});

async function damageIsFormatError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MediumFailure) throw error.cause;
    throw new FormatError(
      `zip: ${(error as Error).message}. The file is truncated or damaged: fetch it again.`,
      {
        cause: error,
      },
    );
  }
}
